import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose

from models.errors import ScanError
from models.rendering.rasteriser import interpolate, perspective_weights, rasterise


def slow_rasterise(points, triangles, height, width):
    """Every pixel against every triangle in float64: nearness, and which triangle; no rule for shared edges."""
    nearest, seen = np.full((height, width), -np.inf), np.full((height, width), -1)
    for t, (a, b, c) in enumerate(points[triangles].astype(float)):
        matrix = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        inverse = np.linalg.inv(matrix)
        for row in range(height):
            for column in range(width):
                weights = inverse @ [column, row, 1]
                near = weights @ [a[2], b[2], c[2]]
                if (weights >= 0).all() and near > nearest[row, column]:
                    nearest[row, column], seen[row, column] = near, t
    return nearest, seen


def fan(rng, spokes=9):
    """A wheel of triangles about an inner point, whose rim is convex."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, spokes))
    rim = np.stack([8 + 7 * np.cos(angle), 8 + 7 * np.sin(angle), np.zeros(spokes)], axis=1)
    points = np.vstack([rim.mean(axis=0), rim]).astype(np.float32)
    ring = np.arange(1, spokes + 1)
    return points, np.stack([np.zeros(spokes, int), ring, np.roll(ring, -1)], axis=1).astype(np.int32)


@pytest.mark.parametrize("seed", range(6))
def test_it_sees_what_testing_every_pixel_against_every_triangle_sees(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-3, 15, (20, 3)).astype(np.float32)
    triangles = rng.integers(0, 20, (12, 3)).astype(np.int32)
    fragments = rasterise(points, triangles, 11, 13)
    nearest, seen = slow_rasterise(points, triangles, 11, 13)
    assert (fragments.triangle == seen).all()
    depth = interpolate(fragments, triangles, points[:, 2:])[..., 0]
    assert_allclose(depth[seen >= 0], nearest[seen >= 0], atol=2e-3)
    assert (depth[seen < 0] == 0).all()


@settings(deadline=None)
@given(hnp.arrays(np.int64, (4, 2), elements=st.integers(0, 10)), st.booleans())
def test_two_triangles_on_one_edge_cover_every_lattice_point_between_them_exactly_once(corners, flip):
    # pixel centres fall exactly on edges and corners here: the hard case
    points = np.column_stack([corners, np.zeros(4)]).astype(np.float32)
    first, second = np.array([[0, 1, 2]], np.int32), np.array([[0, 2, 3]], np.int32)
    if _side(corners, 1) * _side(corners, 3) >= 0:
        return  # the triangles overlap or one is empty
    if flip:
        second = second[:, ::-1].copy()
    alone = [rasterise(points, t, 12, 12).triangle >= 0 for t in (first, second)]
    both = rasterise(points, np.vstack([first, second]), 12, 12).triangle >= 0
    assert not (alone[0] & alone[1]).any()
    assert (both == (alone[0] | alone[1])).all()
    inner = _open_segment(corners[0], corners[2])
    assert all(both[y, x] for x, y in inner)


def _side(corners, k):
    (ax, ay), (bx, by), (px, py) = corners[0], corners[2], corners[k]
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


def _open_segment(a, b):
    steps = int(np.gcd(*(b - a)))
    return [a + (b - a) // steps * k for k in range(1, steps)] if steps else []


@pytest.mark.parametrize("seed", range(20))
def test_a_fan_has_neither_holes_nor_pixels_claimed_twice(seed):
    points, triangles = fan(np.random.default_rng(seed))
    count = sum((rasterise(points, t[None], 17, 17).triangle >= 0).astype(int) for t in triangles)
    assert count.max() == 1
    rows, columns = np.mgrid[:17, :17]
    rim, following = points[1:, :2].astype(float), np.roll(points[1:, :2], -1, axis=0).astype(float)
    edge = following - rim
    turned = edge[:, 0] * (rows[..., None] - rim[:, 1]) - edge[:, 1] * (columns[..., None] - rim[:, 0])
    inside = (turned > 1e-3).all(axis=-1)
    assert (count[inside] == 1).all()


def test_weights_add_up_to_one_and_reproduce_the_pixel_centre():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 20, (9, 3)).astype(np.float32)
    triangles = rng.integers(0, 9, (6, 3)).astype(np.int32)
    fragments = rasterise(points, triangles, 20, 20)
    at = interpolate(fragments, triangles, points[:, :2])
    covered = fragments.triangle >= 0
    rows, columns = np.nonzero(covered)
    assert covered.sum() > 20
    assert_allclose(fragments.weights[covered].sum(axis=1), 1, atol=1e-6)
    assert_allclose(at[covered], np.stack([columns, rows], axis=1), atol=2e-3)


def test_the_nearer_of_two_surfaces_wins_whatever_the_order():
    points = np.array([[0, 0, 1], [9, 0, 1], [0, 9, 1], [0, 0, 2], [9, 0, 2], [0, 9, 2]], np.float32)
    far, near = [0, 1, 2], [3, 4, 5]
    assert rasterise(points, np.array([far, near], np.int32), 8, 8).triangle.max() == 1
    assert (rasterise(points, np.array([near, far], np.int32), 8, 8).triangle <= 0).all()


@settings(deadline=None)
@given(hnp.arrays(np.float32, (6, 3), elements=st.floats(-5e4, 5e4, width=32)))
def test_nothing_is_written_outside_the_image_and_slivers_do_no_harm(points):
    triangles = np.array([[0, 1, 2], [3, 4, 5], [0, 0, 1], [2, 2, 2]], np.int32)
    fragments = rasterise(points, triangles, 5, 7)
    assert fragments.triangle.shape == (5, 7)
    assert set(np.unique(fragments.triangle)) <= {-1, 0, 1}
    assert np.isfinite(fragments.weights).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_are_not_finite_are_refused(bad):
    points = np.array([[0, 0, 0], [4, 0, 0], [0, 4, bad]], np.float32)
    with pytest.raises(ScanError, match="not finite"):
        rasterise(points, np.array([[0, 1, 2]], np.int32), 4, 4)


@pytest.mark.parametrize("index", [-1, 3])
def test_triangles_that_name_a_missing_vertex_are_refused(index):
    with pytest.raises(ScanError, match="outside"):
        rasterise(np.zeros((3, 3), np.float32), np.array([[0, 1, index]], np.int32), 4, 4)


def test_perspective_weights_give_the_point_where_the_ray_meets_the_triangle():
    rng = np.random.default_rng(4)
    corners = np.column_stack([rng.uniform(-40, 40, (3, 2)), rng.uniform(-400, -100, 3)])
    depth = -corners[:, 2]
    pixels = np.column_stack([50 + 100 * corners[:, 0] / depth, 50 - 100 * corners[:, 1] / depth, 1 / depth])
    triangles = np.array([[0, 1, 2]], np.int32)
    fragments = rasterise(pixels.astype(np.float32), triangles, 100, 100)
    corrected = fragments._replace(weights=perspective_weights(fragments, triangles, depth.astype(np.float32)))
    at = interpolate(corrected, triangles, corners.astype(np.float32))
    rows, columns = np.nonzero(fragments.triangle >= 0)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    rays = np.stack([(columns - 50) / 100, (50 - rows) / 100, -np.ones(len(rows))], axis=1)
    truth = rays * (normal @ corners[0] / (rays @ normal))[:, None]
    assert len(rows) > 10
    assert_allclose(at[rows, columns], truth, atol=0.02)
