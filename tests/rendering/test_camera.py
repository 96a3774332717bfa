import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from models.errors import ScanError
from models.rendering.camera import PerspectiveCamera, angles_from_rotation, project, rotation_from_angles

degrees = st.floats(-180.0, 180.0)
CAMERA = PerspectiveCamera(focal_px=1000.0, centre_xy=(112.0, 110.0))


@given(degrees, degrees, degrees)
def test_a_rotation_is_pitch_then_yaw_then_roll_about_fixed_axes(pitch, yaw, roll):
    expected = Rotation.from_euler("xyz", [pitch, yaw, roll], degrees=True).as_matrix()
    assert_allclose(rotation_from_angles(pitch, yaw, roll), expected, atol=1e-12)


@given(degrees, degrees, degrees)
def test_the_angles_read_from_a_rotation_give_it_back(pitch, yaw, roll):
    rotation = rotation_from_angles(pitch, yaw, roll)
    assert_allclose(rotation_from_angles(*angles_from_rotation(rotation)), rotation, atol=1e-7)


@pytest.mark.parametrize("yaw", [90.0, -90.0])
def test_angles_at_gimbal_lock_still_give_the_rotation_back(yaw):
    rotation = Rotation.from_euler("xyz", [20, yaw, 35], degrees=True).as_matrix()
    assert_allclose(rotation_from_angles(*angles_from_rotation(rotation)), rotation, atol=1e-7)


@given(st.floats(-80, 80), st.floats(-89, 89), st.floats(-80, 80))
def test_angles_within_a_quarter_turn_come_back_themselves(pitch, yaw, roll):
    assert_allclose(angles_from_rotation(rotation_from_angles(pitch, yaw, roll)), (pitch, yaw, roll), atol=1e-5)


def test_a_positive_yaw_turns_the_nose_to_the_right_of_the_image():
    assert_allclose(rotation_from_angles(0.0, 90.0, 0.0) @ [0, 0, 1], [1, 0, 0], atol=1e-12)


def test_right_and_up_in_the_camera_frame_are_right_and_up_in_the_picture():
    points = np.array([[0, 0, -500], [10, 0, -500], [0, 10, -500]], np.float32)
    pixels = project(points, CAMERA)
    assert_allclose(pixels[:, :2], [[112, 110], [132, 110], [112, 90]], atol=1e-4)


def test_nearer_points_have_more_nearness_and_it_is_affine_on_screen():
    ends = np.array([[-50, 20, -300], [80, -10, -900]], np.float64)
    middle = ends.mean(axis=0, keepdims=True)
    pixels = project(np.vstack([ends, middle]), CAMERA).astype(float)
    assert pixels[0, 2] > pixels[1, 2]
    share = (pixels[2, 0] - pixels[0, 0]) / (pixels[1, 0] - pixels[0, 0])
    assert_allclose(pixels[2, 2], pixels[0, 2] + share * (pixels[1, 2] - pixels[0, 2]), rtol=1e-5)


def test_points_behind_the_camera_are_refused():
    with pytest.raises(ScanError, match="in front"):
        project(np.array([[0, 0, 5]], np.float32), CAMERA)
