import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.losses.style_metric import pulled_back, spread
from models.losses.surface import SurfaceL2
from models.morphable.builtin import load_face

FACE = load_face(6, 4, subdivisions=0)
BASIS = torch.from_numpy(np.concatenate([FACE.identity_basis, FACE.expression_basis])).flatten(1)
TEMPLATE = torch.from_numpy(FACE.template)


def linear(codes):
    return TEMPLATE + (codes @ BASIS).unflatten(1, (-1, 3))


def test_of_a_linear_decoder_it_is_the_mean_squared_vertex_distance_exactly():
    metric = pulled_back(linear, 10, SurfaceL2(FACE.template, FACE.triangles, 0.0), block=3)
    difference = torch.randn(5, 10, generator=torch.Generator().manual_seed(0))
    slow = (linear(difference) - TEMPLATE).square().sum(2).mean()
    assert_allclose(metric(difference), slow, rtol=1e-4)


@pytest.mark.parametrize("weight", [10.0, 300.0])
def test_near_the_mean_it_is_the_surface_loss_normals_included(weight):
    def bent(codes):
        return linear(codes + 0.2 * codes.square())

    surface = SurfaceL2(FACE.template, FACE.triangles, weight)
    metric = pulled_back(bent, 10, surface)
    codes = 0.02 * torch.randn(4, 10, generator=torch.Generator().manual_seed(0))
    assert_allclose(metric(codes), surface(bent(codes), bent(0 * codes)), rtol=0.05)


def test_the_metric_is_symmetric_and_no_difference_is_cheaper_than_none():
    metric = pulled_back(linear, 10, SurfaceL2(FACE.template, FACE.triangles, 100.0))
    assert_allclose(metric.gram, metric.gram.T, rtol=1e-4, atol=1e-4)
    assert torch.linalg.eigvalsh(metric.gram.double()).min() > 0
    assert metric(torch.zeros(2, 10)) == 0


def test_spread_is_the_distance_from_the_mean_of_ones_group():
    codes = torch.tensor([[1.0, 0], [3, 0], [5, 7], [5, 1], [8, 8]])
    groups = torch.tensor([4, 4, -1, -1, 9])
    assert_allclose(spread(codes, groups), [[-1, 0], [1, 0], [0, 3], [0, -3], [0, 0]])


def test_spread_has_the_gradient_of_finite_differences():
    codes = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda c: spread(c, torch.tensor([0, 0, 1, 2, 1])), codes)
