"""From crops to coefficients, meshes and training images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import ndimage

from models.geometry.range_image import Grid
from models.morphable.builtin import load_face
from models.networks.expnet import CoefficientLayout
from models.photos.alignment import similarity
from models.reconstructors.crop_camera import crop_camera, pose_in_crop
from models.reconstructors.encoding import Variation, centred, face_footprint, noisy, training_image, varied
from models.reconstructors.expnet import from_vector, mesh, meshes, to_vector
from models.reconstructors.scoring import shape_error
from models.rendering.camera import PerspectiveCamera, project, rotation_from_angles
from models.types import Coefficients, Pose, RangeImage, Scan

FACE = load_face()
STILL = Variation(0.0, 0.0, 0.0, 0.0)


def some_coefficients(seed: int = 0) -> Coefficients:
    rng = np.random.default_rng(seed)
    pose = Pose(3.0, -12.0, 5.0, (4.0, -2.0, -1010.0))
    return Coefficients(
        FACE.space, rng.normal(size=99).astype(np.float32), rng.normal(size=29).astype(np.float32), pose=pose
    )


def placed(pose: Pose, points: np.ndarray) -> np.ndarray:
    return points @ rotation_from_angles(*pose[:3]).T + np.array(pose.translation_mm)


@settings(max_examples=40, deadline=None)
@given(
    yaw=st.floats(-30, 30),
    roll=st.floats(-20, 20),
    turn=st.floats(-25, 25),
    zoom=st.floats(1.2, 2.2),  # faces 0.9 to 1.6 m from the crop camera, as alignment gives them
    x=st.floats(-20, 20),
    distance=st.floats(700, 2500),
)
def test_the_crop_camera_shows_a_face_as_the_aligned_crop_does(yaw, roll, turn, zoom, x, distance):
    photo_camera = PerspectiveCamera(0.6 * distance, (63.5, 63.5))
    pose = Pose(4.0, yaw, roll, (x, 3.0, -distance))
    face = FACE.template[FACE.landmarks68].astype(np.float64)
    on_photo = project(placed(pose, face).astype(np.float32), photo_camera)[:, :2].astype(np.float64)
    angle = np.radians(turn)
    linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    to_photo = np.column_stack([linear, on_photo.mean(axis=0) - linear @ np.array([47.5, 50.0])])
    on_crop = (on_photo - to_photo[:, 2]) @ np.linalg.inv(linear).T
    found = pose_in_crop(pose, photo_camera, to_photo, 96)
    ours = project(placed(found, face).astype(np.float32), crop_camera(96))[:, :2]
    size = np.ptp(on_crop, axis=0).max()
    assert np.abs(ours - on_crop).max() < 0.06 * size, "only the strength of perspective may differ"


def test_alignment_by_similarity_is_what_the_pose_conversion_undoes():
    matrix = similarity(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[5.0, 5.0], [5.0, 25.0]]))
    pose = pose_in_crop(Pose(0.0, 0.0, 0.0, (0.0, 0.0, -1000.0)), PerspectiveCamera(500.0, (5.0, 5.0)), matrix, 96)
    assert_allclose(pose.roll_deg, 90, atol=1e-6)
    assert_allclose(pose.translation_mm[2], -crop_camera(96).focal_px * 2 * 1000 / 500, rtol=1e-9)


@pytest.mark.parametrize("yaw", [-95.0, -90.0, -89.0, 89.0, 90.0, 95.0])
def test_a_turned_picture_of_a_profile_is_the_same_profile_rolled(yaw: float):
    turn = np.radians(20.0)
    linear = 2 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    to_photo = np.column_stack([linear, np.zeros(2)])
    pose = Pose(7.0, yaw, -4.0, (0.0, 0.0, -1000.0))
    found = pose_in_crop(pose, PerspectiveCamera(500.0, (5.0, 5.0)), to_photo, 96)
    wanted = rotation_from_angles(0.0, 0.0, 20.0) @ rotation_from_angles(*pose[:3])
    assert_allclose(rotation_from_angles(*found[:3]), wanted, atol=1e-9)
    assert_allclose(found[:3], (7.0, yaw, 16.0), atol=1e-9, err_msg="angles that a network learns may not jump")


def test_a_target_vector_gives_the_face_back():
    face, layout = some_coefficients(), CoefficientLayout()
    again = from_vector(to_vector(face, layout), layout, face.space)
    assert_allclose(again.identity, face.identity)
    assert_allclose(again.expression, face.expression)
    assert again.pose is not None
    assert face.pose is not None
    assert_allclose(again.pose[:3], face.pose[:3], atol=1e-4)
    assert_allclose(again.pose.translation_mm, face.pose.translation_mm, atol=1e-3)


def test_meshes_in_blocks_equal_meshes_one_by_one():
    faces = [some_coefficients(seed) for seed in range(5)]
    for vertices, face in zip(meshes(FACE, faces, block=2), faces, strict=True):
        assert_allclose(vertices, mesh(FACE, face).vertices, atol=1e-3)


def test_the_true_coefficients_have_only_the_floor_as_error():
    rng = np.random.default_rng(1)
    identity = rng.normal(size=(3, 160)).astype(np.float32)
    expression = np.zeros((3, 72), dtype=np.float32)
    exact = [Coefficients(FACE.space, row[:99], np.zeros(29, dtype=np.float32)) for row in identity]
    error = shape_error(exact, identity, expression)
    assert_allclose(error.neutral_mm, error.basis_floor_mm, rtol=1e-5)
    lazy = [Coefficients(FACE.space, 0 * row[:99], np.zeros(29, dtype=np.float32)) for row in identity]
    worst = shape_error(lazy, identity, expression)
    assert_allclose(worst.neutral_mm, worst.mean_face_mm, rtol=1e-5)
    assert worst.neutral_mm > 5 * error.neutral_mm


@pytest.mark.parametrize("pixels", [48, 56, 64, 112])
def test_the_footprint_is_one_piece_without_holes(pixels):
    footprint = face_footprint(FACE, Grid(pixels, pixels, 154 / pixels), 90.0)
    assert ndimage.label(footprint)[1] == 1
    assert ndimage.label(~footprint)[1] == 1


def upright_face() -> Scan:
    made = mesh(FACE, some_coefficients())
    return Scan(centred(made.vertices, FACE.nose_tip), made.triangles)


def test_an_unvaried_face_has_its_nose_tip_at_the_origin():
    assert_allclose(varied(upright_face(), STILL, np.random.default_rng(0)).vertices[FACE.nose_tip], 0, atol=1e-5)


def test_variation_is_as_large_as_asked():
    face, rng = upright_face(), np.random.default_rng(0)
    tips = [varied(face, Variation(0.0, 1.5, 0.0, 0.0), rng).vertices[FACE.nose_tip] for _ in range(300)]
    assert_allclose(np.std(tips, axis=0), 1.5, rtol=0.2)


def test_noise_moves_depth_only_and_only_where_there_is_a_surface():
    points = np.zeros((40, 40, 3), dtype=np.float32)
    valid = np.zeros((40, 40), dtype=bool)
    valid[10:30, 10:30] = True
    moved = noisy(RangeImage(points, valid), 0.5, np.random.default_rng(0)).points
    assert_allclose(moved[..., :2], 0)
    assert_allclose(moved[~valid], 0)
    assert 0.2 < moved[valid, 2].std() < 1.0


@pytest.mark.parametrize("pixels", [48, 64])
def test_training_images_cover_the_footprint_and_nothing_else(pixels):
    grid = Grid(pixels, pixels, 154 / pixels)
    footprint = face_footprint(FACE, grid, 90.0)
    image = training_image(upright_face(), grid, footprint, STILL, np.random.default_rng(0))
    covered = (image > 0).all(axis=0)
    assert not covered[~footprint].any()
    assert covered[footprint].mean() > 0.97
    assert image[2][covered].mean() > 200, "most of a face looks at the camera"
