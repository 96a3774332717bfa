import pytest
import torch

from models.networks.expnet import build_expnet
from models.networks.rnet import RNetwork


@pytest.fixture(scope="module", autouse=True)
def monai_is_imported():
    import monai.networks.nets.resnet  # noqa: F401 - seconds, outside the first test's clock


def test_the_papers_network_is_resnet_50_with_257_outputs():
    network = RNetwork()
    # the published ImageNet classifier of 1000 classes, with its last layer exchanged
    expected = 25_557_032 - (2048 + 1) * 1000 + (2048 + 1) * 257
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert network.feature_count == 2048


def test_it_is_the_plain_residual_network_taken_apart_before_its_last_layer():
    torch.manual_seed(0)
    network = RNetwork(18, 0.125, 40).eval()
    torch.manual_seed(0)
    whole = build_expnet(18, 0.125, 40).eval()
    photos = torch.randn(2, 3, 64, 64)
    assert torch.equal(network(photos), whole(photos))
    features = network.features(photos)
    assert features.shape == (2, network.feature_count)
    assert torch.equal(network.head(features), network(photos))


def test_it_starts_near_the_mean_face():
    assert RNetwork(18, 0.25).eval()(torch.randn(2, 3, 96, 96)).abs().max() < 0.5
