import numpy as np
import pytest
import trimesh
from numpy.testing import assert_allclose

from models.errors import ScanError
from models.rendering.mesh_normals import vertex_normals


def test_they_point_outwards_on_a_sphere():
    ball = trimesh.creation.icosphere(subdivisions=3, radius=50)
    normals = vertex_normals(ball.vertices.astype(np.float32), ball.faces.astype(np.int32))
    assert_allclose(normals, ball.vertices / 50, atol=0.012)


def test_they_are_the_area_weighted_means_of_the_faces():
    rng = np.random.default_rng(0)
    vertices, triangles = rng.normal(size=(8, 3)).astype(np.float32), rng.integers(0, 8, (10, 3)).astype(np.int32)
    expected = np.zeros((8, 3))
    for a, b, c in triangles:
        face = np.cross(vertices[b].astype(float) - vertices[a], vertices[c].astype(float) - vertices[a])
        expected[[a, b, c]] += face if len({a, b, c}) == 3 else 0
    length = np.linalg.norm(expected, axis=1, keepdims=True)
    assert_allclose(vertex_normals(vertices, triangles), expected / np.where(length > 0, length, 1), atol=1e-5)


def test_a_vertex_without_a_triangle_gets_zero():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]], np.float32)
    normals = vertex_normals(vertices, np.array([[0, 1, 2]], np.int32))
    assert_allclose(normals, [[0, 0, 1]] * 3 + [[0, 0, 0]])


def test_a_broken_mesh_is_refused():
    with pytest.raises(ScanError, match="outside"):
        vertex_normals(np.zeros((2, 3), np.float32), np.array([[0, 1, 2]], np.int32))
