import numpy as np
import torch
from numpy.testing import assert_allclose

from models.losses.coefficient_prior import CoefficientPrior


def test_it_is_the_weighted_sum_of_squared_lengths():
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(4, size)) for size in (80, 64, 80)]
    expected = np.mean(
        [
            sum(w * np.linalg.norm(v) ** 2 for w, v in zip((1.0, 0.8, 1.7e-3), row, strict=True))
            for row in zip(*parts, strict=True)
        ]
    )
    assert_allclose(CoefficientPrior()(*(torch.tensor(part) for part in parts)).item(), expected, rtol=1e-9)


def test_each_weight_is_that_of_its_own_part():
    ones = torch.ones(2, 3)
    assert_allclose(CoefficientPrior(5.0, 0.0, 0.0)(ones, ones, ones).item(), 15)
    assert_allclose(CoefficientPrior(0.0, 7.0, 0.0)(ones, ones, ones).item(), 21)
    assert_allclose(CoefficientPrior(0.0, 0.0, 9.0)(ones, ones, ones).item(), 27)


def test_the_mean_face_costs_nothing_and_gradients_agree_with_finite_differences():
    parts = tuple(torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(3))
    assert torch.autograd.gradcheck(CoefficientPrior(), parts, atol=1e-6)
    assert CoefficientPrior()(*(torch.zeros(2, 3) for _ in range(3))).item() == 0
