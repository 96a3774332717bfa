import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.errors import ScanError
from models.geometry.range_image import Grid, render_range_image
from models.types import Scan
from tests.geometry.analytic_surfaces import height_field


def plane(x, y):
    return 3 + 0.7 * x - 1.9 * y


def test_points_of_a_plane_lie_on_it_to_a_thousandth_of_a_millimetre(grid):
    image = render_range_image(height_field(plane), grid)
    at = image.points.astype(float)[image.valid]
    assert image.valid.mean() > 0.99
    assert np.abs(at[:, 2] - plane(at[:, 0], at[:, 1])).max() <= 1e-3


def test_cells_are_the_meeting_points_of_rays_and_triangles(grid):
    rng = np.random.default_rng(3)
    vertices = rng.uniform(-90, 90, (60, 3)).astype(np.float32)
    triangles = rng.integers(0, 60, (40, 3)).astype(np.int32)
    image = render_range_image(Scan(vertices, triangles), grid)
    for row, column in rng.integers(0, 112, (400, 2)):
        x, y = (column - 55.5) * 1.6, (55.5 - row) * 1.6
        met = [z for z in (meets(vertices[t].astype(float), x, y) for t in triangles) if z is not None]
        sure = [z for z, margin in met if margin > 1e-4]
        assert bool(met) == image.valid[row, column] or not sure
        if sure and len(sure) == len(met):
            assert_allclose(image.points[row, column], [x, y, max(sure)], atol=0.02)


def meets(corners, x, y):
    matrix = np.vstack([corners[:, :2].T, np.ones(3)])
    if abs(np.linalg.det(matrix)) < 1e-6:
        return None
    weights = np.linalg.solve(matrix, [x, y, 1])
    return (weights @ corners[:, 2], weights.min()) if weights.min() >= 0 else None


def test_row_zero_is_the_top_and_the_centre_is_the_origin():
    grid = Grid(5, 3, 2.0)
    image = render_range_image(height_field(lambda x, y: 0 * x * y), grid)
    assert_allclose(image.points[0, 0], [-2, 4, 0])
    assert_allclose(image.points[2, 1], [0, 0, 0])
    assert_allclose(image.points[4, 2], [2, -4, 0])


def test_the_surface_nearest_the_camera_is_seen(grid):
    near, far = height_field(lambda x, y: 20 + 0 * x * y, 30), height_field(lambda x, y: -20 + 0 * x * y, 60)
    both = Scan(
        np.vstack([far.vertices, near.vertices]), np.vstack([far.triangles, near.triangles + len(far.vertices)])
    )
    image = render_range_image(both, grid)
    x, y = image.points[..., 0], image.points[..., 1]
    inside = image.valid & (np.abs(x) < 29) & (np.abs(y) < 29)
    around = image.valid & ((np.abs(x) > 31) | (np.abs(y) > 31))
    assert (image.points[inside][:, 2] == 20).all()
    assert (image.points[around][:, 2] == -20).all()
    assert (image.points[~image.valid] == 0).all()


def test_a_broken_mesh_is_refused(grid):
    with pytest.raises(ScanError, match="not finite"):
        render_range_image(Scan(np.full((3, 3), np.nan, np.float32), np.array([[0, 1, 2]], np.int32)), grid)
