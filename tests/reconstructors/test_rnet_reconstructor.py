import json

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.errors import ArtefactError, AssetMissing, ConfigurationError
from models.morphable.builtin import load_face
from models.networks.preprocessing import scale_pixels
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.crops import CropModel
from models.reconstructors.protocol import Reconstruction, from_crop
from models.reconstructors.rnet_stored import load_rnet, open_rnet, save_rnet
from models.types import Coefficients

CPU = torch.device("cpu")
LAYOUT = RNetLayout(texture=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network that answers every crop differently, stored."""
    torch.manual_seed(0)
    network = RNetwork(18, 0.125, LAYOUT.size)
    torch.nn.init.normal_(network.head.weight, std=0.3)
    for _ in range(20):
        network(torch.randn(16, 3, 48, 48))
    made = tmp_path_factory.mktemp("rnet")
    save_rnet(made, network, LAYOUT, 18, 0.125, 48)
    return made


@pytest.fixture(scope="module")
def rnet(folder):
    return load_rnet(folder)


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).integers(0, 256, (5, 3, 48, 48), dtype=np.uint8)


def test_coefficients_are_the_outputs_of_one_crop_at_a_time_with_texture_light_and_pose(rnet, crops):
    assert rnet.space == "builtin-1/id80/exp64/tex40"
    for face, crop in zip(rnet.coefficients(crops, CPU, batch_size=2), crops, strict=True):
        with torch.no_grad():
            vector = rnet.network.eval()(scale_pixels(torch.from_numpy(crop[None])))[0].numpy()
        alone = LAYOUT.unpack(vector, rnet.space)
        assert face.space == rnet.space
        for name in ("identity", "expression", "texture", "light"):
            assert_allclose(getattr(face, name), getattr(alone, name), atol=1e-4)
        assert_allclose(face.pose[:3], alone.pose[:3], atol=1e-3)
        assert_allclose(face.pose.translation_mm, alone.pose.translation_mm, atol=1e-2)
    assert np.std([face.identity for face in rnet.coefficients(crops, CPU)], axis=0).min() > 0


def test_meshes_are_the_faces_of_the_coefficients_upright_whatever_the_block(rnet, crops):
    found = rnet.coefficients(crops, CPU)
    meshes = list(rnet.meshes(found, CPU, block=2))
    assert len(meshes) == 5
    for vertices, face in zip(meshes, found, strict=True):
        assert_allclose(vertices, rnet.face.shape(face.identity, face.expression), atol=1e-3)


def test_coefficients_of_expnets_space_are_refused(rnet):
    other = Coefficients(load_face().space, np.zeros(80, np.float32), np.zeros(64, np.float32))
    with pytest.raises(ConfigurationError, match="never mix"):
        list(rnet.meshes([other], CPU))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_a_gpu_gives_what_the_cpu_gives(rnet, crops):
    on_cpu, on_gpu = (rnet.faces(crops, torch.device(name)) for name in ("cpu", "cuda"))
    assert_allclose(on_gpu.vertices, on_cpu.vertices, atol=0.05)


def test_it_is_a_crop_model_and_with_it_a_reconstructor_of_photos(rnet, crops, folder):
    assert isinstance(rnet, CropModel)
    photos = [from_crop(crop, f"{number}.jpg") for number, crop in enumerate(crops)]
    outcomes = list(open_rnet(folder).reconstruct(photos, CPU, batch_size=2))
    assert [outcome.path for outcome in outcomes] == [photo.path for photo in photos]
    assert all(isinstance(outcome, Reconstruction) for outcome in outcomes)
    assert all(outcome.coefficients.space == rnet.space for outcome in outcomes)


def test_a_network_that_is_not_there_or_not_one_is_refused(tmp_path, folder):
    with pytest.raises(AssetMissing, match="not trained"):
        open_rnet(None)
    with pytest.raises(ArtefactError, match="holds no trained R-Net"):
        load_rnet(tmp_path)
    shape = json.loads((folder / "shape.json").read_text())
    for broken in ({**shape, "layout": {"identities": 80}}, {key: shape[key] for key in ("depth", "layout")}):
        (tmp_path / "shape.json").write_text(json.dumps(broken))
        with pytest.raises(ArtefactError, match="not the shape of an R-Net"):
            load_rnet(tmp_path)
    (tmp_path / "shape.json").write_text(json.dumps({**shape, "width": 0.25}))
    (tmp_path / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    with pytest.raises(ArtefactError, match="weights of another network"):
        load_rnet(tmp_path)
