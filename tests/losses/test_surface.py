import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.losses.surface import SurfaceL2
from models.morphable.builtin import load_face
from models.rendering.camera import rotation_from_angles

TETRAHEDRON = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
SIDES = np.int32([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def batch(*surfaces):
    return torch.from_numpy(np.stack(surfaces).astype(np.float32))


def test_normals_point_outwards_with_unit_length():
    normals = SurfaceL2(TETRAHEDRON, SIDES).normals(batch(TETRAHEDRON))[0]
    assert_allclose(normals, [[0, 0, -1], [0, -1, 0], [-1, 0, 0], np.ones(3) / np.sqrt(3)], atol=1e-6)


def test_equal_surfaces_cost_nothing_and_a_shift_costs_its_square():
    loss = SurfaceL2(TETRAHEDRON, SIDES, normal_weight=50.0)
    assert loss(batch(TETRAHEDRON), batch(TETRAHEDRON)) == 0
    assert_allclose(loss(batch(TETRAHEDRON + np.float32([3, 0, 4])), batch(TETRAHEDRON)), 25, rtol=1e-5)


@pytest.mark.parametrize("degrees", [1.0, 5.0, 90.0])
def test_a_turned_plane_costs_its_angle(degrees):
    plane = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    triangles = np.int32([[0, 1, 2], [0, 2, 3]])
    turned = plane @ rotation_from_angles(degrees, 0.0, 0.0).T
    places = np.square(turned - plane).sum(1).mean()
    cost = SurfaceL2(plane, triangles, normal_weight=7.0)(batch(turned), batch(plane))
    chord = 2 * np.sin(np.radians(degrees) / 2)
    assert_allclose(cost, places + 7 * chord**2, rtol=1e-4)


def test_triangles_count_by_their_area_on_the_template():
    flat = np.float32([[0, 0, 0], [3, 0, 0], [0, 1, 0], [3, 1, 0], [4, 0, 0]])
    triangles = np.int32([[0, 1, 2], [1, 4, 3]])
    bent = flat.copy()
    bent[4, 2] = 1.0
    loss = SurfaceL2(flat, triangles, normal_weight=1.0)
    turned = loss(batch(bent), batch(flat)) - 0.2
    normals = loss.normals(batch(bent))[0, 1] - torch.tensor([0.0, 0, 1])
    assert_allclose(turned, normals.square().sum() / 4, rtol=1e-4)


def test_gradients_are_those_of_finite_differences():
    loss = SurfaceL2(TETRAHEDRON, SIDES).double()
    torch.manual_seed(0)
    start = torch.from_numpy(TETRAHEDRON).double()[None] + 0.1 * torch.randn(2, 4, 3, dtype=torch.float64)
    target = start.roll(1, dims=0).clone()
    torch.autograd.gradcheck(lambda moved: loss(moved, target), start.requires_grad_(), atol=1e-5)


def test_fine_relief_is_seen_in_the_normals_where_vertices_hardly_move():
    face = load_face()
    rippled = face.template.copy()
    rippled[:, 2] += 0.1 * np.sin(face.template[:, 1])
    by_place = SurfaceL2(face.template, face.triangles, 0.0)(batch(rippled), batch(face.template))
    with_normals = SurfaceL2(face.template, face.triangles, 100.0)(batch(rippled), batch(face.template))
    assert by_place < 0.01
    assert with_normals > 10 * by_place
