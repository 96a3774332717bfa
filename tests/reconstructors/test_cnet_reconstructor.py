import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.errors import ArtefactError
from models.morphable.textured import load_textured_face
from models.networks.cnet import CNet
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.cnet import confident_means
from models.reconstructors.pooling import subject_means
from models.reconstructors.rnet import RNet
from models.reconstructors.rnet_stored import load_cnet, save_cnet

CPU = torch.device("cpu")
LAYOUT = RNetLayout(texture=10)
OWNER = np.array([1, 0, 1, 3, 0, 1])  # subject 2 has no photo


@pytest.fixture(scope="module")
def rnet():
    torch.manual_seed(0)
    network = RNetwork(18, 0.125, LAYOUT.size)
    torch.nn.init.normal_(network.head.weight, std=0.3)
    for _ in range(20):
        network(torch.randn(16, 3, 48, 48))
    return RNet(network, load_textured_face(80, 64, 10, 0), LAYOUT, 48)


def confidence(rnet, spread=0.5):
    torch.manual_seed(1)
    made = CNet(rnet.network.feature_count, 80, hidden=8)
    torch.nn.init.normal_(made.outer.weight, std=spread)
    return made


def stored(rnet, folder, spread=0.5):
    save_cnet(folder, confidence(rnet, spread), rnet.network)
    return load_cnet(folder, rnet)


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).integers(0, 256, (6, 3, 48, 48), dtype=np.uint8)


def test_a_subject_gets_the_mean_of_its_rows_weighted_element_by_element_however_they_are_cut():
    rng = np.random.default_rng(0)
    identity, weight = rng.normal(size=(6, 4)).astype(np.float32), rng.uniform(0.1, 5, (6, 4)).astype(np.float32)
    found = confident_means([identity[:4], identity[4:]], [weight[:4], weight[4:]], [OWNER[:4], OWNER[4:]], 4)
    for subject in (0, 1, 3):
        own = np.flatnonzero(subject == OWNER)
        expected = [np.average(identity[own, k], weights=weight[own, k]) for k in range(4)]
        assert_allclose(found[subject], expected, rtol=1e-5)
    assert not found[2].any()
    even = confident_means([identity], [np.full_like(weight, 3.0)], [OWNER], 4)
    assert_allclose(even, subject_means([identity], [OWNER], 4), atol=1e-6)
    assert confident_means([], [], [], 4).shape == (4, 0)


def test_a_person_has_one_identity_and_each_photo_the_rest_of_its_own(rnet, crops, tmp_path):
    pooled = stored(rnet, tmp_path)
    outputs, trust = pooled.views(crops, CPU, batch_size=4)
    assert_allclose(outputs, rnet.outputs(crops, CPU), atol=1e-5)
    assert trust.shape == (6, 80)
    assert (trust > 0).all()
    shared = confident_means([outputs[:, :80]], [trust], [OWNER], 4)[OWNER]
    single = rnet.coefficients(crops, CPU)
    for row, face, alone in zip(shared, pooled.coefficients(crops, OWNER, CPU, batch_size=4), single, strict=True):
        assert_allclose(face.identity, row, atol=1e-5)
        assert_allclose(face.expression, alone.expression, atol=1e-5)
        assert_allclose(face.texture, alone.texture, atol=1e-5)
    assert_allclose(shared[3], outputs[3, :80], atol=1e-5)


def test_an_untrained_cnet_is_the_plain_mean(rnet, crops, tmp_path):
    pooled = stored(rnet, tmp_path, spread=0.0)
    identities = np.stack([face.identity for face in pooled.coefficients(crops, OWNER, CPU)])
    assert_allclose(identities, subject_means([rnet.outputs(crops, CPU)[:, :80]], [OWNER], 4)[OWNER], atol=1e-5)


def test_the_cnet_of_another_rnet_is_refused(rnet, tmp_path):
    save_cnet(tmp_path, confidence(rnet), RNetwork(18, 0.125, LAYOUT.size))
    with pytest.raises(ArtefactError, match="another R-Net"):
        load_cnet(tmp_path, rnet)
    with pytest.raises(ArtefactError, match="holds no trained C-Net"):
        load_cnet(tmp_path / "nowhere", rnet)
