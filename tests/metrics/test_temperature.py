"""Calibration against scikit-learn's curve, closed forms, and probabilities that are known to be right or wrong."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from models.errors import DataError
from models.metrics.temperature import (
    calibration_error,
    cross_fitted,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)


def drawn_logits(count: int, classes: int, sharper: float, seed: int):
    """Labels drawn from softmax(logits), and logits that are `sharper` than that."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (count, classes))
    truth = np.array([rng.choice(classes, p=row) for row in softmax(logits, axis=1)])
    return logits * sharper, truth


def test_the_reliability_of_answers_is_scikit_learns_curve():
    logits, truth = drawn_logits(900, 4, 2.0, 1)
    probabilities = softmax(logits, axis=1)
    found = reliability(probabilities, truth, bins=10)
    right = probabilities.argmax(axis=1) == truth
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=10)
    filled = found.inputs > 0
    assert_allclose(found.accuracy[filled], accuracy)
    assert_allclose(found.confidence[filled], confidence)
    assert found.inputs.sum() == 900


def test_the_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    truth = np.array([0, 1, 0, 1])
    # of two answers at .9 one is right, of two at .6 both are
    assert calibration_error(probabilities, truth, bins=10) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_certain_and_always_right_has_no_error():
    assert calibration_error(np.eye(3)[[0, 1, 2]], np.array([0, 1, 2])) == 0


def test_the_likelihood_is_scikit_learns():
    logits, truth = drawn_logits(200, 3, 1.0, 2)
    assert negative_log_likelihood(logits, truth) == pytest.approx(log_loss(truth, softmax(logits, axis=1)))


@pytest.mark.parametrize("sharper", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_logits_too_sharp(sharper: float):
    logits, truth = drawn_logits(6000, 4, sharper, 3)
    found = fit_temperature(logits, truth)
    assert found == pytest.approx(sharper, rel=0.1)
    grid = np.exp(np.linspace(np.log(0.1), np.log(10), 200))
    assert (
        negative_log_likelihood(logits / found, truth)
        <= min(negative_log_likelihood(logits / t, truth) for t in grid) + 1e-7
    )


def test_a_temperature_that_other_people_ask_for_lowers_the_error_and_changes_no_answer():
    logits, truth = drawn_logits(4000, 4, 3.0, 4)
    people = [f"p{number % 40}" for number in range(4000)]
    found = cross_fitted(logits, truth, people)
    assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert calibration_error(found, truth) < 0.3 * calibration_error(softmax(logits, axis=1), truth)


def test_nobody_is_calibrated_by_their_own_labels():
    logits, truth = drawn_logits(400, 3, 2.0, 5)
    people = np.array([f"p{number % 4}" for number in range(400)])
    first = np.isin(people, ["p0", "p2"])
    changed = np.where(first, (truth + 1) % 3, truth)
    before, after = (cross_fitted(logits, labels, list(people)) for labels in (truth, changed))
    assert_allclose(before[first], after[first])
    assert np.abs(before[~first] - after[~first]).max() > 0.01


def test_one_person_alone_is_left_uncalibrated():
    logits, truth = drawn_logits(30, 3, 2.0, 6)
    assert_allclose(cross_fitted(logits, truth, ["p"] * 30), softmax(logits, axis=1))


def test_nothing_to_calibrate_is_refused():
    with pytest.raises(DataError, match="0 scores for 0 labels"):
        fit_temperature(np.zeros((0, 2)), np.zeros(0, np.int64))
