"""Whitened inputs have, within each class, the same spread in all directions."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from models.classifiers.whitening import fit_whitener


def classes_of_one_shape(count: int, seed: int = 0):
    """Three classes whose members scatter alike, in directions that are not those of the axes."""
    rng = np.random.default_rng(seed)
    answers = np.arange(count) % 3
    mixing = np.array([[3.0, 0, 0, 0], [2.5, 0.4, 0, 0], [0, 0, 1, 0], [1, 0, -1, 0.2]])
    values = rng.normal(size=(count, 4)) @ mixing + 20 * rng.normal(size=(3, 4))[answers] + 7
    return values.astype(np.float32), answers


def test_members_of_a_class_have_the_identity_as_covariance():
    values, answers = classes_of_one_shape(6000)
    white = fit_whitener(values, answers)
    unseen, theirs = classes_of_one_shape(6000, seed=0)
    found = white(unseen)
    about = found - np.stack([found[theirs == each].mean(axis=0) for each in range(3)])[theirs]
    assert_allclose(np.cov(about.T), np.eye(4), atol=0.05)
    assert_allclose(white(values).mean(axis=0), 0, atol=1e-3)


def test_numbers_that_vary_alone_are_scaled_and_stay_in_their_places():
    rng = np.random.default_rng(1)
    answers = np.arange(9000) % 2
    spread = np.array([0.1, 2.0, 30.0])
    values = rng.normal(size=(9000, 3)) * spread + 5 * answers[:, None]
    assert_allclose(fit_whitener(values.astype(np.float32), answers).transform * spread[:, None], np.eye(3), atol=0.05)


def test_few_inputs_of_many_numbers_are_whitened_with_care():
    rng = np.random.default_rng(2)
    answers = np.arange(12) % 3
    values = rng.normal(size=(12, 50)).astype(np.float32)
    transform = fit_whitener(values, answers).transform
    assert np.isfinite(transform).all()
    assert np.linalg.cond(transform) < 30, "without shrinking it would be infinite: nine directions are known of fifty"


def test_a_number_that_never_changes_becomes_zero_and_one_that_is_the_answer_stays_finite():
    rng = np.random.default_rng(3)
    answers = np.arange(60) % 3
    values = np.column_stack([np.full(60, 4.0), answers, rng.normal(size=60)]).astype(np.float32)
    found = fit_whitener(values, answers)(values)
    assert_array_equal(found[:, 0], 0)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 1e4
