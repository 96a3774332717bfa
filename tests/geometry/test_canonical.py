import numpy as np
import pytest
import trimesh
from numpy.testing import assert_allclose

from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.normals import plane_fit_normals
from models.geometry.template import builtin_template
from models.rendering.camera import rotation_from_angles
from models.types import Scan
from tests.geometry.analytic_surfaces import generic_depth, generic_face

POSES = [(25.0, 10.0, -20.0), (-28.0, -25.0, 12.0), (5.0, 28.0, 25.0)]


def turned(scan, angles, shift):
    return Scan((scan.vertices @ rotation_from_angles(*angles).T + shift).astype(np.float32), scan.triangles)


@pytest.mark.parametrize("angles", POSES)
def test_a_turned_face_comes_back_upright_and_centred(template, grid, angles):
    shift = np.array([15.0, -40.0, 300.0])
    image, report = canonical_range_image(turned(generic_face(2.0), angles, shift), template, grid)
    at = image.points[image.valid].astype(float)
    # the drawn face is highest a little above its origin; the canonical origin is that summit
    steps = np.arange(-4, 4, 0.01)
    summit = steps[np.argmax(generic_depth(np.zeros(len(steps)), steps))]
    error = at[:, 2] + generic_depth(np.zeros(1), np.array([summit])) - generic_depth(at[:, 0], at[:, 1] + summit)
    assert np.median(np.abs(error)) < 0.5
    assert_allclose(report.pose[:3], angles, atol=1.0)
    assert_allclose(report.nose_tip, shift, atol=2.0)
    assert report.cells == image.valid.sum() > 3500


@pytest.mark.parametrize("name", ["james", "demo"])
@pytest.mark.parametrize("angles", POSES)
def test_a_real_head_gives_the_same_normals_however_it_was_turned(heads, grid, name, angles):
    straight, _ = canonical_range_image(heads[name].scan, builtin_template(), grid)
    other, report = canonical_range_image(
        turned(heads[name].scan, angles, np.array([20.0, 30.0, -40.0])), builtin_template(), grid
    )
    one, two = plane_fit_normals(straight), plane_fit_normals(other)
    both = one.valid & two.valid
    angle = np.degrees(np.arccos(np.clip((one.normals * two.normals).sum(axis=-1), -1, 1)))[both]
    assert both.sum() > 0.95 * one.valid.sum()
    assert np.median(angle) < 2.0
    assert report.icp_rmse_mm < 3.0


def test_the_mask_is_a_ball_about_the_nose_and_the_rest_is_zero(template, grid):
    image, _ = canonical_range_image(generic_face(), template, grid, radius_mm=60.0)
    assert np.linalg.norm(image.points[image.valid], axis=1).max() <= 60.001
    assert (image.points[~image.valid] == 0).all()


def test_holes_and_flying_pieces_are_reported_and_repaired(template, grid):
    face = generic_face(2.0)
    middle = face.vertices[face.triangles].mean(axis=1)
    whole = face.triangles[np.hypot(middle[:, 0] - 25, middle[:, 1] + 30) > 6]
    ball = trimesh.creation.icosphere(2, 5)
    scan = Scan(
        np.vstack([face.vertices, ball.vertices + np.array([0, 120, 20])]).astype(np.float32),
        np.vstack([whole, ball.faces + len(face.vertices)]).astype(np.int32),
    )
    image, report = canonical_range_image(scan, template, grid)
    assert report.pieces > 1
    assert report.removed_vertices >= len(ball.vertices)
    assert report.holes >= 1
    assert report.hole_cells >= 30
    rows, columns = np.nonzero(image.valid)
    assert image.valid[rows.min() + 20 : rows.max() - 20, 45:66].all()
    assert columns.min() > 5


@pytest.mark.parametrize(("scale", "words"), [(0.001, "check the unit"), (10.0, "check the unit")])
def test_a_scan_in_the_wrong_unit_is_refused(template, grid, scale, words):
    face = generic_face()
    with pytest.raises(ScanError, match=words):
        canonical_range_image(Scan(face.vertices * np.float32(scale), face.triangles), template, grid)


def test_too_few_vertices_and_numbers_that_are_none_are_refused(template, grid):
    with pytest.raises(ScanError, match="too few"):
        canonical_range_image(Scan(np.zeros((9, 3), np.float32), np.zeros((1, 3), np.int32)), template, grid)
    face = generic_face()
    with pytest.raises(ScanError, match="not finite"):
        canonical_range_image(Scan(face.vertices * np.float32(np.nan), face.triangles), template, grid)


def test_a_ball_is_not_a_face(template, grid):
    ball = trimesh.creation.icosphere(4, 45)
    with pytest.raises(ScanError):
        canonical_range_image(Scan(ball.vertices.astype(np.float32), ball.faces.astype(np.int32)), template, grid)
