import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.geometry.normals import plane_fit_normals
from models.geometry.range_image import Grid
from models.types import RangeImage
from tests.geometry.analytic_surfaces import sampled

SMALL = Grid(40, 36, 1.6)
LIMIT_MM = 8.0


def svd_normals(image, limit=LIMIT_MM):
    """Every window by itself, in float64, from the singular vectors of its points."""
    normals, valid = np.zeros(image.points.shape), np.zeros(image.valid.shape, bool)
    for i, j in np.argwhere(image.valid):
        window = (slice(max(i - 2, 0), i + 3), slice(max(j - 2, 0), j + 3))
        points = image.points[window][image.valid[window]].astype(float)
        points = points[np.abs(points[:, 2] - float(image.points[i, j, 2])) <= limit]
        if len(points) < 4:
            continue
        _, singular, axes = np.linalg.svd(points - points.mean(axis=0))
        if singular[1] ** 2 <= 1e-6 * singular[0] ** 2:
            continue
        normals[i, j], valid[i, j] = axes[2] * (1 if axes[2, 2] >= 0 else -1), True
    return normals, valid


def largest_error_deg(found, truth, valid):
    sine = np.linalg.norm(np.cross(found.normals.astype(float), truth), axis=-1)
    return np.degrees(np.arctan2(sine, (found.normals * truth).sum(axis=-1)))[valid].max()


def dome(x, y):
    return 40 - (x**2 + y**2) / 120 + 4 * np.sin(x / 6) * np.cos(y / 7)


@pytest.mark.parametrize("noise_mm", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("holes", [0.0, 0.5])
@pytest.mark.parametrize("cliff_mm", [0.0, 30.0])
def test_normals_match_the_singular_vectors_of_every_window(noise_mm, holes, cliff_mm):
    rng = np.random.default_rng(int(10 * noise_mm + 3 * holes + cliff_mm))
    points = sampled(dome, SMALL).points.copy()
    points[..., 2] += rng.normal(0, noise_mm, points.shape[:2])
    points[:, 20:, 2] -= cliff_mm
    image = RangeImage(points.astype(np.float32), rng.random(points.shape[:2]) >= holes)
    found, (truth, valid) = plane_fit_normals(image), svd_normals(image)
    assert (found.valid == valid).all()
    assert largest_error_deg(found, truth, valid) <= 0.01
    assert_allclose(np.linalg.norm(found.normals[valid], axis=-1), 1, atol=1e-6)
    assert (found.normals[~valid] == 0).all()


@settings(deadline=None, max_examples=50)
@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-500, 500))
def test_a_plane_has_its_own_normal_everywhere(slope_x, slope_y, depth):
    found = plane_fit_normals(sampled(lambda x, y: depth + slope_x * x + slope_y * y, Grid(9, 9, 1.0)), 100.0)
    truth = np.array([-slope_x, -slope_y, 1.0])
    assert_allclose(found.normals, np.broadcast_to(truth / np.linalg.norm(truth), (9, 9, 3)), atol=1e-3)


def test_normals_of_a_sphere_point_away_from_its_centre():
    grid = Grid(60, 60, 1.0)
    image = sampled(lambda x, y: np.sqrt(80.0**2 - x**2 - y**2), grid)
    found = plane_fit_normals(image)
    assert largest_error_deg(found, image.points.astype(float) / 80, np.s_[2:-2, 2:-2]) < 0.15


def test_a_cliff_higher_than_the_limit_does_not_tilt_the_normals_beside_it():
    image = sampled(lambda x, y: np.where(x > 0, 20.0, 0.0 * y), SMALL)
    assert_allclose(plane_fit_normals(image).normals, np.broadcast_to([0, 0, 1], (40, 36, 3)), atol=1e-6)
    assert plane_fit_normals(image, 30.0).normals[20, 17, 2] < 0.9


def test_windows_whose_two_smallest_spreads_are_nearly_equal_are_still_right():
    # rough stuff: the smallest eigenvalue is often almost double, where Newton's method alone fails by tens of degrees
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1.0, (30, 30, 3)).astype(np.float32)
    image = RangeImage(points, np.ones((30, 30), bool))
    truth, valid = svd_normals(image)
    assert largest_error_deg(plane_fit_normals(image), truth, valid) <= 0.01


def test_three_points_or_points_on_a_line_have_no_normal():
    valid = np.zeros((9, 9), bool)
    valid[0, :5] = True  # a line
    valid[6, 6:8] = valid[7, 6] = True  # three points
    image = RangeImage(sampled(lambda x, y: x + y, Grid(9, 9, 1.0)).points * valid[..., None], valid)
    assert not plane_fit_normals(image).valid.any()


def test_what_lies_in_empty_cells_does_not_matter():
    image = sampled(dome, SMALL)
    valid = np.random.default_rng(1).random(image.valid.shape) > 0.3
    blank = np.where(valid[..., None], image.points, np.float32(np.nan))
    clean = np.where(valid[..., None], image.points, np.float32(0))
    one, other = (plane_fit_normals(RangeImage(points, valid)) for points in (blank, clean))
    assert (one.normals == other.normals).all()


def test_an_empty_image_has_no_normals():
    found = plane_fit_normals(RangeImage(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), bool)))
    assert not found.valid.any()
    assert not found.normals.any()
