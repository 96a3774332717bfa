import numpy as np
import pytest
import trimesh

from models.errors import ScanError
from models.geometry.nose_tip import find_nose_tip, refine_tip
from models.rendering.camera import rotation_from_angles
from models.types import Scan
from tests.geometry.analytic_surfaces import generic_face

POSES = [(0.0, 0.0, 0.0), (30.0, 0.0, 0.0), (-30.0, 0.0, 0.0), (0.0, 30.0, 0.0), (0.0, -30.0, 0.0), (20.0, -25.0, 30.0)]


def turned(scan, angles, shift=(0.0, 0.0, 0.0)):
    return Scan((scan.vertices @ rotation_from_angles(*angles).T + shift).astype(np.float32), scan.triangles)


@pytest.mark.parametrize("angles", POSES)
@pytest.mark.parametrize("name", ["james", "demo"])
def test_the_nose_of_a_real_head_is_found_within_three_millimetres_in_any_pose(heads, name, angles):
    # one of the two shows the shoulders, the other the ears and the neck
    head, shift = heads[name], np.array([30.0, -60.0, 400.0])
    truth = rotation_from_angles(*angles) @ head.nose_tip + shift
    assert np.linalg.norm(find_nose_tip(turned(head.scan, angles, shift)) - truth) < 3.0


@pytest.mark.parametrize("name", ["james", "demo"])
def test_noise_of_half_a_millimetre_does_not_matter(heads, name):
    scan, tip = heads[name]
    noise = np.random.default_rng(0).normal(0, 0.5, scan.vertices.shape).astype(np.float32)
    assert np.linalg.norm(find_nose_tip(Scan(scan.vertices + noise, scan.triangles)) - tip) < 5.0


def test_the_top_of_a_paraboloid_is_found_between_its_points():
    x, y = np.meshgrid(np.arange(-9, 9.1, 1.5), np.arange(-9, 9.1, 1.5))
    z = 4 - 0.05 * (x - 0.7) ** 2 - 0.03 * (y + 1.1) ** 2
    tip = refine_tip(np.stack([x, y, z], axis=-1).reshape(-1, 3))
    assert tip is not None
    np.testing.assert_allclose(tip, [0.7, -1.1, 4.0], atol=1e-6)


def test_a_plane_and_a_bowl_have_no_top():
    x, y = np.meshgrid(np.arange(-9, 9.1, 1.5), np.arange(-9, 9.1, 1.5))
    for z in (0 * x, 0.05 * (x**2 + y**2)):
        assert refine_tip(np.stack([x, y, z], axis=-1).reshape(-1, 3)) is None


def test_the_back_of_a_face_has_no_nose():
    face = generic_face()
    behind = Scan(face.vertices * np.array([1, 1, 0], np.float32), face.triangles[:, ::-1].copy())
    with pytest.raises(ScanError, match="nothing bulges"):
        find_nose_tip(behind)


def test_a_scan_that_is_one_small_ball_has_no_face():
    ball = trimesh.creation.icosphere(3, 12)
    with pytest.raises(ScanError):
        find_nose_tip(Scan(ball.vertices.astype(np.float32), ball.faces.astype(np.int32)))
