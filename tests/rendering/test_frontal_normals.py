"""Normal images with gradients: on the mean face those of the mesh, and gradients by finite differences."""

import numpy as np
import torch

from models.rendering.frontal_normals import FrontalNormals

SIDE = 9


def lattice() -> tuple[np.ndarray, np.ndarray]:
    """A square of 80 mm in steps of 10 mm, flat."""
    x, y = np.meshgrid(np.linspace(-40, 40, SIDE), np.linspace(40, -40, SIDE))
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return np.stack([x, y, 0 * x], -1).reshape(-1, 3).astype(np.float32), triangles.astype(np.int32)


def images(inside: np.ndarray | None = None) -> tuple[FrontalNormals, np.ndarray]:
    template, triangles = lattice()
    shown = np.ones((12, 12), bool) if inside is None else inside
    return FrontalNormals(template, triangles, shown, 5.0, background=-1.0), template


def test_a_tilted_plane_has_its_one_normal_in_every_cell():
    imaging, template = images()
    slope = np.array([0.3, -0.2])
    tilted = template.copy()
    tilted[:, 2] = template[:, :2] @ slope
    normal = np.array([-slope[0], -slope[1], 1.0]) / np.sqrt(1 + slope @ slope)
    found = imaging(torch.from_numpy(tilted)[None]).numpy()[0]
    np.testing.assert_allclose(found, np.broadcast_to(normal[:, None, None], found.shape), atol=1e-5)


def test_cells_outside_hold_the_background():
    inside = np.zeros((12, 12), bool)
    inside[3:9, 4:8] = True
    imaging, template = images(inside)
    found = imaging(torch.from_numpy(template)[None]).numpy()[0]
    assert (found[:, ~inside] == -1).all()
    np.testing.assert_allclose(found[2][inside], 1, atol=1e-6)


def test_gradients_are_those_of_finite_differences():
    imaging, template = images()
    rng = np.random.default_rng(0)
    bumpy = torch.from_numpy(template + rng.normal(0, 1.5, template.shape).astype(np.float32)).double()[None]
    imaging = imaging.double()
    weights = torch.from_numpy(rng.normal(size=(1, 3, 12, 12)))
    assert torch.autograd.gradcheck(lambda v: (imaging(v) * weights).sum(), bumpy.requires_grad_(), atol=1e-6)
