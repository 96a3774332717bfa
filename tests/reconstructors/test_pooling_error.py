import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import DataError
from models.reconstructors.pooling_error import cut_into_sets, neutral_distances, pooling_error
from models.reconstructors.scoring import shape_error
from models.types import Coefficients


def some(count, width=160, seed=0):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 4))
def test_sets_show_one_person_each_and_use_all_photos_but_the_remainders(people, views):
    subjects = np.array(people)
    counts = np.bincount(subjects)
    if counts.max() < views:
        with pytest.raises(DataError, match=f"nobody has {views} photos"):
            cut_into_sets(subjects, views)
        return
    sets = cut_into_sets(subjects, views)
    assert sets.shape == ((counts // views).sum(), views)
    assert len(np.unique(sets)) == sets.size
    assert (subjects[sets] == subjects[sets[:, :1]]).all()


def test_the_distance_of_a_face_is_the_neutral_error_of_scoring():
    guess, truth = some(5, 80), some(5, seed=1)
    faces = [Coefficients("s", row, np.zeros(64, np.float32)) for row in guess]
    expected = shape_error(faces, truth, some(5, 72)).neutral_mm
    found = neutral_distances(guess, truth, block=2)
    assert_allclose(found.mean(), expected, rtol=1e-5)
    assert_allclose(found[3:4], neutral_distances(guess[3:4], truth[3:4]), rtol=1e-6)
    assert_allclose(neutral_distances(truth, truth), 0, atol=1e-6)


SUBJECTS = np.repeat(np.arange(6), 5)


def test_equal_confidences_are_the_plain_mean_and_gain_nothing():
    guess = some(30, 80)
    found = pooling_error(guess, np.full_like(guess, 0.7), SUBJECTS, some(6)[SUBJECTS], views=3, seed=0)
    assert found.confident_mm == pytest.approx(found.mean_mm, abs=1e-5)
    assert_allclose([found.gain_mm, found.gain_low_mm, found.gain_high_mm], 0, atol=1e-5)
    assert (found.views, found.sets, found.people) == (3, 6, 6)


def test_confidence_in_the_photos_that_are_right_finds_the_truth():
    truth = some(6)[SUBJECTS]
    truth[:, 80:] = 0
    guess = truth[:, :80] + 2 * some(30, 80, seed=2)
    right = np.arange(30) % 5 == 1
    guess[right] = truth[right, :80]
    trust = np.where(right[:, None], 1e4, 1e-3).astype(np.float32) * np.ones_like(guess)
    found = pooling_error(guess, trust, SUBJECTS, truth, views=5, seed=0)
    assert found.confident_mm < 1e-3 < found.mean_mm < found.single_mm
    assert 0 < found.gain_low_mm <= found.gain_mm == pytest.approx(found.mean_mm - found.confident_mm)
    assert found.gain_high_mm >= found.gain_mm


def test_photos_one_by_one_are_told_of_those_in_sets_only():
    guess, truth = some(30, 80), some(6)[SUBJECTS]
    found = pooling_error(guess, np.ones_like(guess), SUBJECTS, truth, views=3, seed=0)
    used = np.arange(30) % 5 < 3
    assert found.single_mm == pytest.approx(neutral_distances(guess[used], truth[used]).mean())
    assert_array_equal(cut_into_sets(SUBJECTS, 3).ravel(), np.flatnonzero(used))
