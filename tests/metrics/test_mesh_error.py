"""Mesh and normal errors against closed forms."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from models.errors import DataError
from models.metrics.mesh_error import mesh_error, normal_error_deg


def cloud(seed=0, count=200):
    return (np.random.default_rng(seed).normal(size=(count, 3)) * 60).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_a_rigid_motion_is_no_error_once_aligned(seed):
    truth = cloud(seed)
    moved = Rotation.random(rng=seed).apply(truth) + np.random.default_rng(seed).normal(size=3) * 100
    error = mesh_error(moved.astype(np.float32), truth)
    assert error.per_vertex_mm.max() < 1e-3
    assert mesh_error(moved.astype(np.float32), truth, align=False).mean_mm > 10


def test_alignment_agrees_with_scipy_for_a_deformed_mesh():
    truth, deformed = cloud(1), cloud(1) + cloud(2) * np.float32(0.05)
    start, end = deformed.mean(axis=0, dtype=np.float64), truth.mean(axis=0, dtype=np.float64)
    rotation, residual = Rotation.align_vectors(truth - end, deformed - start)
    error = mesh_error(deformed, truth)
    assert error.rmse_mm == pytest.approx(residual / np.sqrt(len(truth)), rel=1e-6)
    expected = np.linalg.norm(rotation.apply(deformed - start) + end - truth, axis=1).mean()
    assert error.mean_mm == pytest.approx(expected, rel=1e-6)


def test_a_mirrored_mesh_is_not_aligned_by_a_reflection():
    truth = cloud(3)
    assert mesh_error(truth * np.float32([-1, 1, 1]), truth).mean_mm > 10


def test_a_wrong_size_is_an_error():
    truth = cloud(4) - cloud(4).mean(axis=0)
    error = mesh_error(truth * np.float32(1.1), truth)
    assert error.mean_mm == pytest.approx(0.1 * np.linalg.norm(truth, axis=1).mean(), rel=1e-3)


def test_without_alignment_a_shift_is_its_length():
    assert mesh_error(cloud() + np.float32([3, 0, 4]), cloud(), align=False).mean_mm == pytest.approx(5, rel=1e-5)


def test_no_vertices_are_refused():
    empty = np.empty((0, 3), np.float32)
    with pytest.raises(DataError, match="empty"):
        mesh_error(empty, empty)


@pytest.mark.parametrize("angle", [0.0, 1e-4, 0.01, 30.0, 90.0, 180.0])
def test_a_turned_normal_is_off_by_the_angle_it_was_turned(angle):
    radians = np.radians(angle)
    truth = np.zeros((2, 3, 3), np.float32)
    truth[..., 2] = 1
    estimate = np.zeros_like(truth)
    estimate[..., 0], estimate[..., 2] = 2 * np.sin(radians), 2 * np.cos(radians)
    valid = np.array([[True, False, True], [True, True, False]])
    error = normal_error_deg(estimate, truth, valid)
    assert error.shape == (4,)
    np.testing.assert_allclose(error, angle, atol=1e-5)


def test_images_without_a_common_cell_are_refused():
    with pytest.raises(DataError, match="overlap"):
        normal_error_deg(np.zeros((2, 2, 3), np.float32), np.zeros((2, 2, 3), np.float32), np.zeros((2, 2), bool))
