import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.losses.landmarks68 import Landmarks68


def test_it_is_the_weighted_mean_of_squared_distances():
    rng = np.random.default_rng(0)
    mine, theirs = rng.uniform(0, 224, (2, 3, 68, 2))
    weight = [20 if 28 <= number <= 31 or number >= 61 else 1 for number in range(1, 69)]  # iBUG counts from one
    squares = [
        [w * np.hypot(*(a - b)) ** 2 for w, a, b in zip(weight, p, q, strict=True)]
        for p, q in zip(mine, theirs, strict=True)
    ]
    found = Landmarks68(224)(torch.tensor(mine), torch.tensor(theirs))
    assert_allclose(found.item(), np.sum(squares) / 68 / 3, rtol=1e-6)


@pytest.mark.parametrize("pixels", [64, 96, 448])
def test_the_same_faces_in_a_crop_of_another_size_give_the_same_loss(pixels):
    points = torch.rand(2, 2, 68, 2, dtype=torch.float64) * 224
    scaled = points * (pixels / 224)
    assert_allclose(Landmarks68(pixels)(*scaled).item(), Landmarks68(224)(*points).item(), rtol=1e-6)


def test_gradients_agree_with_finite_differences():
    points = torch.rand(2, 2, 68, 2, dtype=torch.float64) * 96
    leaf = points[0].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda values: Landmarks68(96)(values, points[1]), (leaf,), rtol=1e-4)
