import numpy as np
import torch
from numpy.testing import assert_allclose
from torch import nn

from models.losses.perceptual import Perceptual


def embedder(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 6), nn.Tanh()).double().requires_grad_(False)


def test_it_is_one_minus_the_cosine_of_the_embeddings():
    embed = embedder()
    mine, photos = torch.rand(2, 5, 3, 4, 4, dtype=torch.float64)
    a, b = embed(mine).numpy(), embed(photos).numpy()
    expected = np.mean([1 - p @ q / np.linalg.norm(p) / np.linalg.norm(q) for p, q in zip(a, b, strict=True)])
    assert_allclose(Perceptual(embed)(mine, photos).item(), expected, rtol=1e-9)


def test_the_photo_itself_gives_zero_and_the_opposite_embedding_two():
    photos = torch.rand(3, 3, 4, 4, dtype=torch.float64)
    assert_allclose(Perceptual(embedder())(photos, photos).item(), 0, atol=1e-12)
    assert_allclose(Perceptual(lambda images: images.flatten(1))(-photos, photos).item(), 2, atol=1e-12)


def test_gradients_reach_the_picture_and_agree_with_finite_differences_but_not_the_photo():
    embed, photos = embedder(), torch.rand(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    mine = torch.rand(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: Perceptual(embed)(values, photos.detach()), (mine,), atol=1e-6)
    Perceptual(embed)(mine, photos).backward()
    assert photos.grad is None


def test_an_embedder_with_weights_is_part_of_the_loss_so_that_it_follows_it_to_its_device():
    assert len(list(Perceptual(embedder()).parameters())) == 2
