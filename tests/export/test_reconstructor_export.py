"""Reconstructors as graphs: the numbers that the product itself reads off their networks."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.export.onnx import load_session
from models.export.reconstructor import ExpNetFaces, RNetFaces, export_reconstructor, reconstructor_parity
from models.morphable.builtin import load_face
from models.networks.cnet import CNet
from models.networks.expnet import CoefficientLayout, build_expnet
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.expnet import USUAL_DISTANCE_MM, ExpNet
from models.training.inference import predict_coefficients

PIXELS = 64
CPU = torch.device("cpu")
CROPS = np.random.default_rng(0).integers(0, 256, (5, 3, PIXELS, PIXELS), np.uint8)


def louder(network: torch.nn.Module) -> torch.nn.Module:
    """The last layer drawn anew, so that outputs differ from photo to photo as trained ones do."""
    layer = [each for each in network.modules() if isinstance(each, torch.nn.Linear)][-1]
    torch.nn.init.normal_(layer.weight, std=0.2)
    return network.eval()


def test_an_expnet_graph_says_what_the_product_reads_off_the_network():
    torch.manual_seed(0)
    layout = CoefficientLayout()
    network = louder(build_expnet(18, 0.125, layout.size))
    module = ExpNetFaces(network, layout)
    proto = export_reconstructor(module, PIXELS, {"note": "here"})
    assert max(reconstructor_parity(proto, module, CROPS).values()) < 1e-4
    session = load_session(proto.SerializeToString(), threads=1)
    identity, expression, angles, translation = (np.asarray(each) for each in session.run(None, {"crops": CROPS}))
    for row, face in enumerate(ExpNet(network, load_face(), layout).coefficients(CROPS, CPU)):
        assert_allclose(identity[row], face.identity, atol=1e-4)
        assert_allclose(expression[row], face.expression, atol=1e-4)
        assert face.pose is not None
        pose = face.pose
        assert_allclose(np.degrees(angles[row]), [pose.pitch_deg, pose.yaw_deg, pose.roll_deg], atol=1e-2)
        assert_allclose(translation[row] - [0, 0, USUAL_DISTANCE_MM], pose.translation_mm, atol=1e-2)
    assert session.get_modelmeta().custom_metadata_map["note"] == "here"


@pytest.mark.parametrize("with_confidence", [False, True])
def test_an_rnet_graph_says_what_the_product_reads_off_the_network(with_confidence: bool):
    torch.manual_seed(0)
    layout = RNetLayout()
    network = RNetwork(18, 0.125, layout.size)
    torch.nn.init.normal_(network.head.weight, std=0.2)
    confidence = CNet(network.feature_count, layout.identity, 8) if with_confidence else None
    if confidence is not None:
        torch.nn.init.normal_(confidence.outer.weight, std=0.3)
    module = RNetFaces(network.eval(), layout, confidence)
    proto = export_reconstructor(module, PIXELS, {})
    assert max(reconstructor_parity(proto, module, CROPS).values()) < 1e-4
    session = load_session(proto.SerializeToString(), threads=1)
    found = dict(zip(module.names, session.run(None, {"crops": CROPS}), strict=True))
    outputs = predict_coefficients(network, CROPS, batch_size=5, device=CPU)
    for row, vector in enumerate(outputs):
        face = layout.unpack(vector, "space")
        for name in ("identity", "expression", "texture", "light"):
            assert_allclose(np.asarray(found[name])[row], getattr(face, name), atol=1e-4)
        assert face.pose is not None
        place = np.asarray(found["translation_mm"])[row] - [0, 0, layout.usual_distance_mm]
        assert_allclose(place, face.pose.translation_mm, atol=1e-2)
    if confidence is not None:
        with torch.inference_mode():
            features = network.features((torch.from_numpy(CROPS).float() - 127.5) / 128)
            assert_allclose(np.asarray(found["confidence"]), confidence(features).numpy(), atol=1e-4)
