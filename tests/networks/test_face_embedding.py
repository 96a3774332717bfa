import numpy as np
import torch
from numpy.testing import assert_allclose

from models.networks.face_embedding import FrozenEmbedding
from models.networks.preprocessing import scale_pixels
from models.networks.sphere20 import Sphere20


def network():
    torch.manual_seed(0)
    made = Sphere20(3, 0.0625, (32, 32), embedding=16, batch_norm=True)
    made(torch.randn(16, 3, 32, 32))
    return made


def test_a_photo_of_the_networks_own_size_is_embedded_as_the_recogniser_embeds_it():
    recogniser = network()
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    expected = recogniser.eval()(scale_pixels(images))
    assert_allclose(FrozenEmbedding(recogniser)(images / 255.0).numpy(), expected.detach().numpy(), atol=1e-4)


def test_a_larger_photo_of_the_same_scene_has_nearly_the_same_embedding():
    embed = FrozenEmbedding(network())
    y, x = np.mgrid[:96, :96] / 96
    scene = np.stack([np.sin(4 * x), np.cos(3 * y), x * y]) / 2 + 0.5
    large = torch.tensor(scene, dtype=torch.float32)[None]
    small = large.unflatten(2, (32, 3)).unflatten(4, (32, 3)).mean((3, 5))
    assert torch.nn.functional.cosine_similarity(embed(large), embed(small)).item() > 0.999


def test_training_the_loss_around_it_changes_neither_weights_nor_statistics_but_gradients_pass():
    embed = torch.nn.Sequential(FrozenEmbedding(network())).train()
    before = {name: value.clone() for name, value in embed.state_dict().items()}
    photos = torch.rand(3, 3, 48, 48, requires_grad=True)
    embed(photos).square().sum().backward()
    assert photos.grad is not None
    assert photos.grad.any()
    assert all(torch.equal(value, before[name]) for name, value in embed.state_dict().items())
    assert not any(parameter.requires_grad for parameter in embed.parameters())
