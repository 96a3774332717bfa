import numpy as np
import torch
from numpy.testing import assert_allclose

from models.losses.texture_variance import TextureVariance


def test_it_is_the_variance_over_the_region_summed_over_colours():
    rng = np.random.default_rng(0)
    albedo = rng.random((3, 50, 3))
    region = (rng.random(50) < 0.4).astype(np.float32)
    expected = np.mean([sum(np.var(face[region > 0, channel]) for channel in range(3)) for face in albedo])
    assert_allclose(TextureVariance(region).double()(torch.tensor(albedo)).item(), expected, rtol=1e-6)


def test_a_vertex_of_half_weight_counts_half():
    albedo = torch.tensor([[[1.0] * 3, [4.0] * 3]], dtype=torch.float64)
    found = TextureVariance(np.float32([1, 0.5])).double()(albedo)
    repeated = np.var([1, 1, 4])
    assert_allclose(found.item(), 3 * repeated, rtol=1e-6)


def test_one_colour_in_the_region_costs_nothing_whatever_is_outside():
    albedo = torch.rand(2, 10, 3)
    albedo[:, :6] = 0.4
    assert_allclose(TextureVariance(np.float32([1] * 6 + [0] * 4))(albedo).item(), 0, atol=1e-12)


def test_gradients_agree_with_finite_differences():
    albedo = torch.rand(2, 6, 3, dtype=torch.float64, requires_grad=True)
    loss = TextureVariance(np.linspace(0, 1, 6, dtype=np.float32)).double()
    assert torch.autograd.gradcheck(loss, (albedo,), atol=1e-6)
