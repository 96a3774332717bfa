"""What tells one laboratory's range images from another's."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from models.faceworld.sensors import covered, fit_grid, lost, moved, smoothed
from models.types import RangeImage


def slope(rows=21, columns=25, noise=0.0):
    y, x = np.mgrid[10 : -10 : rows * 1j, -12 : 12 : columns * 1j]
    z = 0.5 * x + noise * np.random.default_rng(0).normal(size=x.shape)
    valid = np.ones((rows, columns), bool)
    valid[:3, :3] = False
    points = np.where(valid[..., None], np.stack([x, y, z], axis=-1), 0).astype(np.float32)
    return RangeImage(points, valid)


def test_a_larger_grid_holds_the_image_in_its_middle_and_a_smaller_one_the_middle_of_the_image():
    image = slope()
    larger = fit_grid(image, 31, 45)
    assert larger.valid.shape == (31, 45)
    assert_array_equal(larger.points[5:26, 10:35], image.points)
    assert larger.valid.sum() == image.valid.sum()
    smaller = fit_grid(image, 11, 15)
    assert_array_equal(smaller.points, image.points[5:16, 5:20])
    mixed = fit_grid(image, 31, 15)
    assert_array_equal(mixed.valid[5:26], image.valid[:, 5:20])


def test_moving_changes_no_shape_and_leaves_empty_cells_at_zero():
    image = slope()
    away = moved(image, np.array([1.0, -2.0, -1300.0]))
    assert_allclose((away.points - image.points)[image.valid], [[1.0, -2.0, -1300.0]] * image.valid.sum(), atol=1e-3)
    assert (away.points[~image.valid] == 0).all()


def test_smoothing_takes_noise_and_keeps_a_plane():
    inner = np.s_[8:-8, 8:-8]
    plane = smoothed(slope(), 2.0)
    assert_allclose(plane.points[inner], slope().points[inner], atol=1e-3)
    noisy = slope(noise=1.0)
    rough = (noisy.points - slope().points)[inner][..., 2].std()
    left = (smoothed(noisy, 2.0).points - slope().points)[inner][..., 2].std()
    assert left < 0.35 * rough
    assert smoothed(noisy, 0.0) is noisy


def test_what_covers_a_face_comes_nearer_and_what_is_lost_is_empty_within_its_circle_only():
    image, centre = slope(), np.array([2.0, -1.0, 1.0])
    away = np.hypot(image.points[..., 0] - 2, image.points[..., 1] + 1)
    hand = covered(image, centre, 5.0, 12.0)
    assert_array_equal(hand.points[away >= 5], image.points[away >= 5])
    assert (hand.points[..., 2] >= image.points[..., 2] - 1e-6).all()
    assert hand.points[away < 1][:, 2].max() > 12.5
    glasses = lost(image, centre, 5.0)
    assert_array_equal(glasses.valid, image.valid & (away >= 5))
