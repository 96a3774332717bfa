import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import ndimage

from models.errors import ScanError
from models.morphable.builtin import load_face
from models.rendering.camera import PerspectiveCamera, project, rotation_from_angles
from models.rendering.differentiable import as_pictures, interpolate_visible, ray_weights, render, visible_pixels
from models.rendering.lighting import shade
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import interpolate, perspective_weights, rasterise

FACE = load_face(80, 64, subdivisions=0)
SIZE = 64
CAMERA = PerspectiveCamera(1015.0 * SIZE / 224, ((SIZE - 1) / 2, (SIZE - 1) / 2))
LIGHT = np.array([[2.0, 1.9, 1.8], [0.3, 0.2, 0.2], [0.7, 0.6, 0.6], [-0.4, -0.3, -0.2], *[[0.1, 0.05, -0.1]] * 5])


def posed_face(seed=0):
    """A random face turned a little, in the camera frame, with its albedo."""
    rng = np.random.default_rng(seed)
    shape = FACE.shape(rng.normal(size=80).astype(np.float32), 0.3 * rng.normal(size=64).astype(np.float32))
    turned = shape @ rotation_from_angles(*rng.normal(0, 8, size=3)).T + [2.0, -15.0, -1030.0]
    albedo = FACE.texture_mean + np.tensordot(rng.normal(size=80), FACE.texture_basis, axes=1)
    return turned.astype(np.float32), albedo.astype(np.float32)


def bumpy_wall(seed=0):
    """A height field that fills the picture: nothing in it hides anything, and no outline is seen."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-9:10, -9:10] * 14.0
    x, y = x + 0.13 * y + 1.7, y - 0.07 * x - 0.9  # so that no edge runs through pixel centres: colour has a kink there
    z = -700 + 20 * ndimage.gaussian_filter(rng.normal(size=x.shape), 2.0)
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    vertices = torch.tensor(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1))[None]
    albedo = torch.tensor(rng.uniform(0.2, 0.8, (1, x.size, 3)))
    return vertices, torch.tensor(triangles), albedo


def slope(function, values, direction, step):
    """Central difference along `direction`."""
    with torch.no_grad():
        return ((function(values + step * direction) - function(values - step * direction)) / (2 * step)).item()


def gradient(function, values):
    leaf = values.clone().requires_grad_(True)
    function(leaf).backward()
    return leaf.grad


def gradient_along(function, values, direction):
    return (gradient(function, values) * direction).sum().item()


def test_it_draws_what_the_numpy_renderer_draws():
    for seed in range(3):
        vertices, albedo = posed_face(seed)
        screen = project(vertices, CAMERA)
        fragments = rasterise(screen, FACE.triangles, SIZE, SIZE)
        weights = perspective_weights(fragments, FACE.triangles, 1 / screen[:, 2])
        attributes = np.concatenate([albedo, vertex_normals(vertices, FACE.triangles)], axis=1)
        seen = interpolate(fragments._replace(weights=weights), FACE.triangles, attributes)
        normals = seen[..., 3:] / np.maximum(np.linalg.norm(seen[..., 3:], axis=-1, keepdims=True), 1e-6)
        expected = shade(seen[..., :3], normals, LIGHT.astype(np.float32))

        light = torch.tensor(LIGHT, dtype=torch.float32)[None]
        triangles = torch.from_numpy(FACE.triangles).long()
        drawn = render(torch.from_numpy(vertices)[None], triangles, torch.from_numpy(albedo)[None], light, CAMERA, SIZE)
        assert (drawn.covered[0].numpy() == (fragments.triangle >= 0)).all()
        assert drawn.covered.float().mean() > 0.3
        gap = np.abs(as_pictures(*drawn)[0].permute(1, 2, 0).numpy() - expected)
        assert gap.mean() < 1e-4
        assert np.quantile(gap, 0.999) < 5e-3, "but for triangles seen edge-on"


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_weights_solve_for_the_point_where_the_ray_meets_the_triangle(seed):
    rng = np.random.default_rng(seed)
    corners = np.column_stack([rng.uniform(-60, 60, (3, 2)), rng.uniform(-900, -500, 3)])
    ray = np.append(rng.uniform(-0.1, 0.1, 2), -1.0)
    system = corners.T
    if np.linalg.cond(system) > 1e4:
        return
    truth = np.linalg.solve(system, ray)
    truth /= truth.sum()
    found = ray_weights(torch.tensor(ray[None, :2]), torch.tensor(corners[None]))[0].numpy()
    if np.abs(truth).max() < 50:
        assert_allclose(found, truth, atol=1e-6)


def test_a_batch_is_drawn_as_each_face_alone():
    faces = [posed_face(seed) for seed in range(3)]
    vertices, albedo = (torch.from_numpy(np.stack(part)) for part in zip(*faces, strict=True))
    triangles = torch.from_numpy(FACE.triangles).long()
    light = torch.tensor(LIGHT, dtype=torch.float32) * torch.tensor([1.0, 0.7, 1.3])[:, None, None]
    together = render(vertices, triangles, albedo, light, CAMERA, SIZE)
    pictures = as_pictures(*together)
    for k in range(3):
        alone = render(vertices[k : k + 1], triangles, albedo[k : k + 1], light[k : k + 1], CAMERA, SIZE)
        assert (alone.covered[0] == together.covered[k]).all()
        assert_allclose(as_pictures(*alone)[0].numpy(), pictures[k].numpy(), atol=1e-6)


@pytest.mark.parametrize("what", ["albedo", "light"])
def test_gradients_of_colour_and_light_are_the_finite_differences(what):
    vertices, triangles, albedo = bumpy_wall()
    light = torch.tensor(LIGHT)[None]
    target = torch.rand((SIZE * SIZE, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def loss(values):
        given = {"albedo": albedo, "light": light} | {what: values}
        return (
            (render(vertices, triangles, given["albedo"], given["light"], CAMERA, SIZE).values - target).square().mean()
        )

    start = {"albedo": albedo, "light": light}[what]
    direction = torch.randn(start.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert_allclose(gradient_along(loss, start, direction), slope(loss, start, direction, 1e-4), rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_gradients_of_geometry_are_the_finite_differences_where_no_outline_moves(seed):
    vertices, triangles, albedo = bumpy_wall(seed)
    light = torch.tensor(LIGHT)[None]
    target = torch.rand((SIZE * SIZE, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def loss(values):
        drawn = render(values, triangles, albedo, light, CAMERA, SIZE)
        assert drawn.covered.all()
        return (drawn.values - target).square().mean()

    direction = torch.randn(vertices.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    found = gradient(loss, vertices)
    usual = found.norm().item()  # of slopes along random directions of unit deviation
    assert_allclose((found * direction).sum().item(), slope(loss, vertices, direction, 1e-4), atol=0.01 * usual)


def test_gradients_of_a_faces_position_are_the_finite_differences_inside_its_outline():
    shape, colour = posed_face(3)
    vertices, albedo = torch.tensor(shape, dtype=torch.float64)[None], torch.tensor(colour, dtype=torch.float64)[None]
    triangles, light = torch.from_numpy(FACE.triangles).long(), torch.tensor(LIGHT)[None]
    visible = visible_pixels(vertices, triangles, CAMERA, SIZE)
    depths = interpolate_visible(vertices, vertices[..., 2:], visible, CAMERA)
    depth = as_pictures(depths, visible.covered)[0, 0].numpy()
    steps = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    inside = torch.from_numpy(ndimage.binary_erosion(visible.covered[0].numpy(), iterations=2) & (steps < 8.0))
    elsewhere = vertices + torch.tensor([1.5, -1.0, 25.0], dtype=torch.float64)
    target = as_pictures(*render(elsewhere, triangles, albedo, light, CAMERA, SIZE))[0]

    def loss(shift):
        drawn = as_pictures(*render(vertices + shift, triangles, albedo, light, CAMERA, SIZE))[0]
        return (drawn - target)[:, inside].square().mean()

    assert inside.float().mean() > 0.15
    at = torch.zeros(3, dtype=torch.float64)
    found = gradient(loss, at)
    for axis in range(3):
        direction = torch.eye(3, dtype=torch.float64)[axis]
        expected = slope(loss, at, direction, 1e-3)
        assert_allclose(found[axis].item(), expected, rtol=0.01, atol=0.01 * found.abs().max().item())


def test_triangles_seen_edge_on_have_finite_gradients():
    # a strip whose far edge lies behind its near one but for a hundred-thousandth of a pixel
    vertices = torch.tensor([[[-20.0, 0.0, -500.0], [20.0, 0.0, -500.0], [0.0, 1e-4, -900.0]]]).requires_grad_(True)
    albedo = torch.rand(1, 3, 3, requires_grad=True)
    camera = PerspectiveCamera(300.0, (16.0, 16.0))
    drawn = render(vertices, torch.tensor([[0, 1, 2]]), albedo, torch.ones(1, 9, 3), camera, 33)
    drawn.values.sum().backward()
    assert drawn.values.isfinite().all()
    assert vertices.grad.isfinite().all()
    assert vertices.grad.abs().max() < 1e6


def test_a_face_outside_the_picture_gives_an_empty_one():
    vertices = torch.tensor([[[900.0, 0.0, -500.0], [920.0, 0.0, -500.0], [910.0, 9.0, -500.0]]], requires_grad=True)
    drawn = render(vertices, torch.tensor([[0, 1, 2]]), torch.ones(1, 3, 3), torch.ones(1, 9, 3), CAMERA, SIZE)
    assert not drawn.covered.any()
    assert drawn.values.shape == (0, 3)
    assert not as_pictures(*drawn).any()


@pytest.mark.parametrize(("z", "complaint"), [(5.0, "in front"), (float("nan"), "in front")])
def test_a_face_that_is_not_in_front_of_the_camera_is_refused(z, complaint):
    vertices = torch.tensor([[[0.0, 0.0, z], [9.0, 0.0, -500.0], [0.0, 9.0, -500.0]]])
    with pytest.raises(ScanError, match=complaint):
        visible_pixels(vertices, torch.tensor([[0, 1, 2]]), CAMERA, SIZE)
