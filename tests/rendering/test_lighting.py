import numpy as np
import torch
from numpy.testing import assert_allclose
from scipy.special import sph_harm_y

from models.rendering.lighting import sh_basis, shade


def directions(count=2000, seed=0):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_the_harmonics_are_the_real_ones_of_scipy_up_to_sign():
    normals = directions(50)
    polar, azimuth = np.arccos(normals[:, 2]), np.arctan2(normals[:, 1], normals[:, 0])
    ours = sh_basis(normals)
    order = [(0, 0), (1, -1), (1, 0), (1, 1), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2)]
    for k, (degree, m) in enumerate(order):
        value = sph_harm_y(degree, abs(m), polar, azimuth)
        real = value.real if m == 0 else np.sqrt(2) * (-1) ** m * (value.imag if m < 0 else value.real)
        assert_allclose(ours[:, k], real, atol=2e-6)


def test_the_harmonics_are_orthonormal_on_the_sphere():
    nodes, weights = np.polynomial.legendre.leggauss(8)
    azimuth = np.arange(16) * 2 * np.pi / 16
    z, a = (grid.ravel() for grid in np.meshgrid(nodes, azimuth, indexing="ij"))
    normals = np.stack([np.sqrt(1 - z**2) * np.cos(a), np.sqrt(1 - z**2) * np.sin(a), z], axis=1)
    area = np.repeat(weights, 16) * 2 * np.pi / 16
    basis = sh_basis(normals)
    assert_allclose(basis.T @ (area[:, None] * basis), np.eye(9), atol=1e-5)


def test_torch_and_numpy_agree_and_torch_has_gradients():
    normals, gamma, albedo = directions(20), np.random.default_rng(1).normal(size=(9, 3)), np.full((20, 3), 0.5)
    leaf = torch.tensor(gamma, requires_grad=True)
    colour = shade(torch.tensor(albedo), torch.tensor(normals), leaf)
    assert_allclose(colour.detach().numpy(), shade(albedo, normals, gamma), atol=1e-12)
    colour.sum().backward()
    assert_allclose(leaf.grad.numpy(), np.tile((0.5 * sh_basis(normals)).sum(axis=0)[:, None], 3), atol=1e-12)


def test_the_shape_before_the_last_axis_and_the_dtype_are_kept():
    normals = directions(12).astype(np.float32).reshape(3, 4, 3)
    assert sh_basis(normals).shape == (3, 4, 9)
    assert sh_basis(normals).dtype == np.float32


def test_constant_light_leaves_the_albedo_alone():
    gamma = np.zeros((9, 3))
    gamma[0] = 1 / 0.282095
    albedo = np.random.default_rng(0).random((5, 3))
    assert_allclose(shade(albedo, directions(5), gamma), albedo)
