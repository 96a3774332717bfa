import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.autograd import gradcheck

from models.rendering.display import srgb


@pytest.mark.parametrize(
    ("byte", "light"),
    [(0, 0.0), (1, 0.000303527), (10, 0.003035270), (55, 0.038204), (128, 0.215861), (188, 0.502886), (255, 1.0)],
)
def test_published_values_of_the_srgb_table(byte, light):
    assert_allclose(srgb(torch.tensor([light], dtype=torch.float64)).item() * 255, byte, atol=2e-3)


def test_it_rises_everywhere_and_goes_on_beyond_both_ends():
    values = srgb(torch.linspace(-1, 3, 4001, dtype=torch.float64))
    assert (values.diff() > 0).all()
    assert values[0] < 0
    assert values[-1] > 1


def test_gradients_agree_with_finite_differences_below_at_and_above_the_joint():
    light = torch.tensor([-0.2, 0.0, 0.001, 0.01, 0.5, 1.4], dtype=torch.float64, requires_grad=True)
    assert gradcheck(srgb, (light,), atol=1e-6)
    below, above = srgb(torch.tensor([0.0031307, 0.0031309], dtype=torch.float64)).tolist()
    assert np.isclose(below, above, atol=1e-5)
