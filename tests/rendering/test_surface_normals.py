import numpy as np
import torch
from numpy.testing import assert_allclose
from torch.autograd import gradcheck

from models.morphable.builtin import load_face
from models.rendering.mesh_normals import vertex_normals
from models.rendering.surface_normals import surface_normals


def test_they_are_the_normals_of_the_numpy_renderer():
    face = load_face(80, 64, subdivisions=0)
    rng = np.random.default_rng(0)
    shapes = [face.shape(rng.normal(size=80).astype(np.float32), np.zeros(64, np.float32)) for _ in range(2)]
    found = surface_normals(torch.from_numpy(np.stack(shapes)), torch.from_numpy(face.triangles).long())
    for normals, shape in zip(found, shapes, strict=True):
        assert_allclose(normals.numpy(), vertex_normals(shape, face.triangles), atol=2e-4)


def test_a_sphere_has_its_own_directions_as_normals():
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    tilt = np.linspace(0.2, np.pi - 0.2, 20)
    t, a = (grid.ravel() for grid in np.meshgrid(tilt, angle, indexing="ij"))
    points = np.stack([np.sin(t) * np.cos(a), np.sin(t) * np.sin(a), np.cos(t)], axis=1)
    index = np.arange(800).reshape(20, 40)
    p, q, r, s = index[:-1], np.roll(index, -1, 1)[:-1], index[1:], np.roll(index, -1, 1)[1:]
    triangles = np.concatenate([np.stack([p, r, q], -1).reshape(-1, 3), np.stack([q, r, s], -1).reshape(-1, 3)])
    found = surface_normals(torch.tensor(points)[None], torch.tensor(triangles))[0].numpy().reshape(20, 40, 3)
    inner = slice(1, -1)
    assert ((found * points.reshape(20, 40, 3)).sum(-1)[inner] > 0.999).all()


def test_gradients_agree_with_finite_differences_and_a_lone_vertex_gets_zero():
    rng = np.random.default_rng(3)
    vertices = torch.tensor(rng.normal(size=(2, 6, 3)), requires_grad=True)
    triangles = torch.tensor([[0, 1, 2], [1, 3, 2], [2, 3, 4]])
    assert gradcheck(lambda v: surface_normals(v, triangles)[:, :5], (vertices,), atol=1e-6)
    normals = surface_normals(vertices, triangles)
    assert (normals[:, 5] == 0).all()
    normals.sum().backward()
    assert vertices.grad.isfinite().all()
