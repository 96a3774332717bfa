"""The angle between two sets of normal images behind a mask."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.normal_error import normal_set_error
from models.types import NormalImages

EVERYWHERE = np.ones((4, 5), bool)


def facing(tilt_deg: float, valid: np.ndarray = EVERYWHERE) -> NormalImages:
    """Every cell tilted to the right by as much."""
    normals = np.zeros((4, 5, 3), np.float32)
    normals[..., 0], normals[..., 2] = np.sin(np.radians(tilt_deg)), np.cos(np.radians(tilt_deg))
    return NormalImages(np.where(valid[..., None], normals, 0).astype(np.float32), valid)


@given(st.lists(st.tuples(st.floats(-80, 80), st.floats(-80, 80)), min_size=1, max_size=6))
def test_every_image_is_off_by_the_difference_of_its_tilts(tilts):
    found = normal_set_error((facing(one) for one, _ in tilts), (facing(two) for _, two in tilts), EVERYWHERE)
    wanted = [abs(one - two) for one, two in tilts]
    np.testing.assert_allclose(found.per_image_deg, wanted, atol=1e-4)
    assert found.mean_deg == pytest.approx(np.mean(wanted), abs=1e-4)
    assert found.coverage == 1
    assert found.empty == 0


def test_only_cells_that_both_have_behind_the_mask_count():
    rng = np.random.default_rng(0)
    estimates, truths, slow, wanted, shared = [], [], [], 0, 0
    mask = rng.random((4, 5)) < 0.8
    for _ in range(5):
        one, two = (
            NormalImages(
                rng.normal(size=(4, 5, 3)).astype(np.float32) * np.float32([1, 1, 3]), rng.random((4, 5)) < 0.7
            )
            for _ in range(2)
        )
        angles = []
        for row in range(4):
            for column in range(5):
                wanted += two.valid[row, column] and mask[row, column]
                if one.valid[row, column] and two.valid[row, column] and mask[row, column]:
                    a, b = one.normals[row, column].astype(float), two.normals[row, column].astype(float)
                    angles.append(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))
        shared += len(angles)
        slow.append(np.mean(angles))
        estimates.append(one)
        truths.append(two)
    found = normal_set_error(estimates, truths, mask)
    np.testing.assert_allclose(found.per_image_deg, slow, rtol=1e-6)
    assert found.coverage == pytest.approx(shared / wanted)


def test_an_image_counts_once_however_few_cells_it_shows():
    one_cell = np.zeros((4, 5), bool)
    one_cell[2, 2] = True
    found = normal_set_error([facing(10), facing(30, one_cell)], [facing(0), facing(0)], EVERYWHERE)
    assert found.mean_deg == pytest.approx(20, abs=1e-4)
    assert found.coverage == pytest.approx(21 / 40)


def test_an_image_without_a_common_cell_is_counted_and_left_out_of_the_mean():
    nothing = np.zeros((4, 5), bool)
    found = normal_set_error([facing(9), facing(9, nothing)], [facing(0), facing(0)], EVERYWHERE)
    assert found.empty == 1
    assert np.isnan(found.per_image_deg[1])
    assert found.mean_deg == pytest.approx(9, abs=1e-4)
    with pytest.raises(DataError, match="none of 1 pairs"):
        normal_set_error([facing(9, nothing)], [facing(0)], EVERYWHERE)
    with pytest.raises(DataError, match="none of 0 pairs"):
        normal_set_error([], [], EVERYWHERE)


def test_sets_of_different_length_are_refused():
    with pytest.raises(DataError, match="differ in number"):
        normal_set_error([facing(1)], [facing(1), facing(2)], EVERYWHERE)


def test_images_are_drawn_pair_by_pair():
    alive: list[int] = []

    def source() -> Iterator[NormalImages]:
        for number in range(50):
            alive.append(number)
            yield facing(3)

    def truths() -> Iterator[NormalImages]:
        for number in range(50):
            assert len(alive) == number + 1
            yield facing(0)

    assert normal_set_error(source(), truths(), EVERYWHERE).mean_deg == pytest.approx(3, abs=1e-4)
