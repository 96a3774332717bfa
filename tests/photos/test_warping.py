"""Views of images whose values are known in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from models.photos.warping import from_centres, warp_square

NOISE = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def ramp(height: int, width: int) -> np.ndarray:
    """Value 255 x / width in red, 255 y / height in green: any view of it tells where it looked."""
    y, x = np.mgrid[:height, :width]
    return np.stack([255 * x / width, 255 * y / height, 0 * x], axis=2).round().astype(np.uint8)


def moved(scale: float, angle: float, x: float, y: float) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([scale * turn, [x, y]])


def test_the_identity_changes_nothing() -> None:
    assert_array_equal(warp_square(NOISE, np.eye(2, 3), 40), NOISE[:, :40])


def test_whole_pixel_shifts_are_exact_and_the_border_repeats() -> None:
    view = warp_square(NOISE, np.array([[1.0, 0, -5], [0, 1.0, 3]]), 40)
    y, x = np.mgrid[:40, :40]
    assert_array_equal(view, NOISE[np.clip(y + 3, 0, 39), np.clip(x - 5, 0, 49)])


def test_outside_the_photo_is_the_surround() -> None:
    view = warp_square(NOISE, np.array([[1.0, 0, -50], [0, 1.0, 0]]), 40, surround=(1, 2, 3))
    assert_array_equal(np.unique(view.reshape(-1, 3), axis=0), [[1, 2, 3]])


@pytest.mark.parametrize("factor", [2, 3, 4, 8, 12])
def test_whole_factors_average_their_blocks(factor: int) -> None:
    image = np.random.default_rng(2).integers(0, 256, (16 * factor, 16 * factor, 3), dtype=np.uint8)
    to_source = from_centres(np.array([[float(factor), 0, -0.5], [0, float(factor), -0.5]]))
    blocks = image.reshape(16, factor, 16, factor, 3).mean(axis=(1, 3))
    inner = slice(1, -1)
    assert_allclose(warp_square(image, to_source, 16)[inner, inner], blocks[inner, inner], atol=1.6)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 20), st.floats(-3.1, 3.1), st.floats(100, 500), st.floats(100, 300))
def test_every_pixel_shows_the_place_its_map_says(scale: float, angle: float, x: float, y: float) -> None:
    to_source = moved(scale, angle, x, y)
    view = warp_square(ramp(400, 600), to_source, 24).astype(float)
    v, u = np.mgrid[:24, :24]
    place = np.stack([u, v], axis=-1) @ to_source[:, :2].T + to_source[:, 2]
    rim = 2 * scale + 2
    inside = ((place > rim) & (place < np.array([600, 400]) - rim)).all(axis=-1)
    # two grey levels: the ramp itself is rounded, and so is its mean
    assert_allclose(view[inside][:, :2], place[inside] * 255 / np.array([600, 400]), atol=2)


def test_a_view_far_outside_is_the_nearest_corner() -> None:
    assert_array_equal(warp_square(NOISE, moved(30, 0, 9_000, 9_000), 8)[..., 0], np.full((8, 8), NOISE[-1, -1, 0]))


def test_a_fine_pattern_becomes_grey_not_moire() -> None:
    checks = np.repeat(((np.indices((900, 900)).sum(axis=0) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    view = warp_square(checks, moved(3.7, 0.2, 200, 100), 100)
    assert np.abs(view.astype(int) - 127).max() < 32
