import numpy as np
import pytest
import torch

from models.networks.sphere20 import Sphere20
from models.training.inference import embed

CPU = torch.device("cpu")


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = Sphere20(1, 0.0625, (32, 32), embedding=16, batch_norm=True)
    network(torch.randn(16, 1, 32, 32))
    return network


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (11, 3, 32, 32), dtype=np.uint8)


def by_hand(network, images, axis):
    network.eval()
    with torch.no_grad():
        singles = [network((torch.from_numpy(image[None, axis : axis + 1]).float() - 127.5) / 128) for image in images]
    return torch.cat(singles).numpy()


def test_embeddings_are_those_of_one_image_at_a_time(network, images):
    found = embed(network, images, batch_size=4, device=CPU, axis=2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(network, images, 2), atol=1e-5)


def test_streams_of_blocks_and_memory_maps_give_the_same(network, images, tmp_path):
    whole = embed(network, images, batch_size=16, device=CPU, axis=0)
    blocks = (images[start : start + 3] for start in range(0, 11, 3))
    np.testing.assert_allclose(embed(network, blocks, batch_size=2, device=CPU, axis=0), whole, atol=1e-5)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_allclose(embed(network, mapped, batch_size=5, device=CPU, axis=0), whole, atol=1e-5)


@pytest.mark.parametrize("mode", [True, False])
def test_the_network_keeps_its_mode_and_its_statistics(network, images, mode):
    network.train(mode)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    embed(network, images, batch_size=4, device=CPU, axis=1)
    assert network.training == mode
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_no_images_give_no_embeddings(network, images):
    assert len(embed(network, images[:0], batch_size=4, device=CPU, axis=0)) == 0
    assert len(embed(network, iter([]), batch_size=4, device=CPU)) == 0
