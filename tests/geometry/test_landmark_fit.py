"""A morphable model fitted to points: against scipy, against the truth, and against what would break it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from models.geometry.landmark_fit import (
    PointFit,
    PointModel,
    PointNoise,
    fit_points,
    independent_noise,
)
from models.geometry.point_pose import RigidPose, orthographic_pose
from models.morphable.builtin import load_face
from models.rendering.camera import PerspectiveCamera, project, rotation_from_angles

CAMERA = PerspectiveCamera(1015.0, (111.5, 111.5))
FACE = load_face(20, 8, subdivisions=0)
CHOSEN = np.flatnonzero(FACE.template[:, 2] > -60)[::10]
MODEL = PointModel(
    FACE.template[CHOSEN].astype(np.float64),
    np.concatenate([FACE.identity_basis[:, CHOSEN], FACE.expression_basis[:, CHOSEN]]).astype(np.float64),
)
COUNT = len(CHOSEN)


def some_coefficients(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(MODEL.basis))


def points_of(coefficients: np.ndarray) -> np.ndarray:
    return MODEL.mean + np.tensordot(coefficients, MODEL.basis, axes=1)


def seen(coefficients: np.ndarray, rotation: np.ndarray, place: np.ndarray, camera=CAMERA) -> np.ndarray:
    """Where the camera sees the face's points."""
    return project(points_of(coefficients) @ rotation.T + place, camera)[:, :2].astype(np.float64)


def upright(seed: int, angles=(3.0, -14.0, 5.0)) -> np.ndarray:
    return seen(some_coefficients(seed), rotation_from_angles(*angles), np.array([4.0, -6.0, -1020.0]))


def mean_distance(fit: PointFit, truth: np.ndarray) -> float:
    return float(np.linalg.norm(points_of(fit.coefficients) - points_of(truth), axis=1).mean())


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 999),
    yaw=st.floats(-35, 35),
    pitch=st.floats(-15, 15),
    roll=st.floats(-170, 170),
    distance=st.floats(700, 2500),
)
def test_points_without_noise_give_the_face_and_its_pose_back(seed, yaw, pitch, roll, distance):
    truth, rotation = some_coefficients(seed), rotation_from_angles(pitch, yaw, roll)
    place = np.array([10.0, -5.0, -distance])
    fit = fit_points(MODEL, seen(truth, rotation, place), independent_noise(COUNT, 1e-4), CAMERA)
    assert fit.converged
    assert_allclose(fit.coefficients, truth, atol=0.02)
    assert_allclose(fit.pose.rotation, rotation, atol=1e-3)
    assert_allclose(fit.pose.translation, place, rtol=2e-3, atol=0.05)
    assert np.abs(fit.residuals).max() < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_the_minimum_is_scipys(seed):
    rng = np.random.default_rng(seed)
    wanted = upright(seed) + rng.normal(0, 1.0, (COUNT, 2))
    habits = rng.normal(0, 0.5, (3, COUNT, 2))
    deviation = rng.uniform(2.0, 4.0, COUNT)  # so wide that no point is an outlier, where the loss is quadratic
    bias = rng.normal(0, 0.5, (COUNT, 2))
    fit = fit_points(MODEL, wanted, PointNoise(bias, habits, deviation), CAMERA)
    shapes = len(MODEL.basis)

    def residuals(unknown: np.ndarray) -> np.ndarray:
        shape = points_of(unknown[6 : 6 + shapes])
        placed = Rotation.from_rotvec(unknown[:3]).apply(shape) + unknown[3:6]
        x = 111.5 + 1015.0 * placed[:, 0] / -placed[:, 2]
        y = 111.5 - 1015.0 * placed[:, 1] / -placed[:, 2]
        off = np.stack([x, y], axis=1) + bias + np.einsum("h,hpk->pk", unknown[6 + shapes :], habits) - wanted
        return np.concatenate([(off / deviation[:, None]).ravel(), unknown[6:]])

    start = np.concatenate([np.zeros(3), [0, 0, -1000], np.zeros(shapes + 3)])
    best = least_squares(residuals, start, xtol=1e-14, ftol=1e-14, gtol=1e-12, x_scale=[0.1] * 3 + [50] * 3 + [1] * 31)
    assert_allclose(fit.coefficients, best.x[6 : 6 + shapes], atol=2e-3)
    assert_allclose(fit.misfit, np.sqrt(2 * best.cost / wanted.size), rtol=1e-5)
    assert_allclose(Rotation.from_matrix(fit.pose.rotation).as_rotvec(), best.x[:3], atol=1e-4)


def test_noisy_points_give_a_face_much_nearer_than_the_mean():
    rng = np.random.default_rng(5)
    errors, mean_errors = [], []
    for seed in range(10):
        fit = fit_points(MODEL, upright(seed) + rng.normal(0, 0.7, (COUNT, 2)), independent_noise(COUNT, 0.7), CAMERA)
        truth = some_coefficients(seed)
        errors.append(mean_distance(fit, truth))
        mean_errors.append(float(np.linalg.norm(points_of(truth) - MODEL.mean, axis=1).mean()))
    assert np.mean(errors) < 0.4 * np.mean(mean_errors)


def test_more_noise_leaves_a_face_nearer_to_the_mean():
    sizes = [
        np.linalg.norm(fit_points(MODEL, upright(1), independent_noise(COUNT, deviation), CAMERA).coefficients)
        for deviation in (0.1, 1.0, 5.0, 30.0)
    ]
    assert (np.diff(sizes) < 0).all()


def test_a_tenth_of_the_points_gone_astray_hardly_matters():
    wild = upright(2)
    wild[::10] += np.random.default_rng(0).normal(0, 40, wild[::10].shape)
    noise = independent_noise(COUNT, 0.5)
    clean, robbed = (fit_points(MODEL, points, noise, CAMERA) for points in (upright(2), wild))
    truth = some_coefficients(2)
    assert mean_distance(robbed, truth) < mean_distance(clean, truth) + 0.5


def test_points_of_infinite_deviation_are_never_looked_at():
    noise = independent_noise(COUNT, 0.5)
    noise.deviation[::3] = np.inf
    astray = upright(3)
    astray[::3] = 1e4
    one, other = (fit_points(MODEL, points, noise, CAMERA) for points in (upright(3), astray))
    assert_allclose(one.coefficients, other.coefficients, atol=1e-12)


def test_what_points_do_by_habit_is_not_taken_for_shape():
    rng = np.random.default_rng(7)
    habit = np.repeat(rng.normal(0, 4, (1, 1, 2)), COUNT, axis=1) * (MODEL.mean[:, 1:2] / 60)
    shifted = upright(4) + 1.5 * habit[0]
    knowing = PointNoise(np.zeros((COUNT, 2)), habit, np.full(COUNT, 0.5))
    truth = some_coefficients(4)
    ignorant = fit_points(MODEL, shifted, independent_noise(COUNT, 0.5), CAMERA)
    assert mean_distance(fit_points(MODEL, shifted, knowing, CAMERA), truth) < 0.5 * mean_distance(ignorant, truth)


@settings(max_examples=10, deadline=None)
@given(turn=st.floats(-180, 180), zoom=st.floats(0.2, 8))
def test_a_larger_or_turned_picture_shows_the_same_face(turn, zoom):
    rng = np.random.default_rng(9)
    points = upright(6) + rng.normal(0, 1, (COUNT, 2))
    centre = np.array(CAMERA.centre_xy)
    radians = np.radians(turn)
    # on the picture y points down: turned by this, the camera frame turns the other way
    matrix = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    plain = fit_points(MODEL, points, independent_noise(COUNT, 1.0), CAMERA)
    moved = fit_points(
        MODEL,
        zoom * (points - centre) @ matrix.T + centre,
        independent_noise(COUNT, float(zoom)),
        PerspectiveCamera(CAMERA.focal_px * zoom, CAMERA.centre_xy),
    )
    assert_allclose(moved.coefficients, plain.coefficients, atol=2e-2)
    assert_allclose(moved.pose.rotation, rotation_from_angles(0.0, 0.0, -turn) @ plain.pose.rotation, atol=2e-3)
    assert_allclose(moved.misfit, plain.misfit, rtol=1e-4)


@given(yaw=st.floats(-60, 60), pitch=st.floats(-30, 30), roll=st.floats(-180, 180))
def test_from_far_away_the_orthographic_pose_is_exact(yaw, pitch, roll):
    rotation, place = rotation_from_angles(pitch, yaw, roll), np.array([300.0, -200.0, -1e6])
    far = PerspectiveCamera(1e6, (50.0, 60.0))
    pose = orthographic_pose(MODEL.mean, seen(np.zeros(28), rotation, place, far), far)
    assert_allclose(pose.rotation, rotation, atol=1e-3)
    assert_allclose(pose.translation, place, rtol=1e-3, atol=0.1)


def test_an_upright_face_needs_no_turn():
    pose = orthographic_pose(MODEL.mean, seen(np.zeros(28), np.eye(3), np.array([0.0, 0.0, -3e4])), CAMERA)
    assert isinstance(pose, RigidPose)
    assert_allclose(pose.rotation, np.eye(3), atol=0.01)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda points: np.full_like(points, 7), "coincide"),
        (lambda points: points * [1, 0] + [0, 9], "on a line"),
        (lambda points: points @ np.array([[1.0, 2.0], [0.5, 1.0]]), "on a line"),
        (lambda points: points * [-1, 1], "mirror image"),
        (lambda points: np.where(points == points[5], np.nan, points), "not finite"),
        (lambda points: np.where(points == points[5], np.inf, points), "not finite"),
    ],
)
def test_points_that_cannot_be_a_face_are_refused(spoil, reason):
    with pytest.raises(ValueError, match=reason):
        fit_points(MODEL, spoil(upright(0)), independent_noise(COUNT, 1.0), CAMERA)


def test_points_strewn_at_random_are_a_misfit():
    strewn = upright(0) + np.random.default_rng(0).normal(0, 12, (COUNT, 2))
    assert fit_points(MODEL, strewn, independent_noise(COUNT, 1.0), CAMERA).misfit > 2
    assert fit_points(MODEL, upright(0), independent_noise(COUNT, 1.0), CAMERA).misfit < 1
