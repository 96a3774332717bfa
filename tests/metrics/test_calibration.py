"""Calibration against scikit-learn, closed forms, and what it must leave as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.errors import DataError
from models.metrics.calibration import (
    Calibration,
    cllr,
    expected_calibration_error,
    fit_calibration,
    min_cllr,
)


def overlapping(seed: int, genuine: int = 200, impostor: int = 3000):
    rng = np.random.default_rng(seed)
    return rng.normal(0.8, 0.2, genuine), rng.normal(1.3, 0.15, impostor)


def test_the_fit_is_scikit_learns_logistic_regression_with_platts_targets():
    genuine, impostor = overlapping(0)
    found = fit_calibration(genuine, impostor)
    distances = np.concatenate([genuine, impostor])
    target = np.repeat([(len(genuine) + 1) / (len(genuine) + 2), 1 / (len(impostor) + 2)], [200, 3000])
    weight = np.repeat([0.5 / 200, 0.5 / 3000], [200, 3000]) * 1000
    both = np.concatenate([weight * target, weight * (1 - target)])  # a soft target is two weighted rows
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000)
    model.fit(np.tile(distances, 2)[:, None], np.repeat([1, 0], len(distances)), sample_weight=both)
    assert found.slope == pytest.approx(-model.coef_[0, 0], rel=1e-3)
    assert found.offset == pytest.approx(model.intercept_[0], rel=1e-3)


def test_normal_scores_of_one_width_calibrate_to_their_true_likelihood_ratio():
    shares = (np.arange(4000) + 0.5) / 4000
    from scipy.stats import norm

    deviates = norm.ppf(shares)
    found = fit_calibration(1.0 + 0.2 * deviates, 1.4 + 0.2 * deviates)
    # log N(d; 1.0, .2) - log N(d; 1.4, .2) = -10 d + 12
    assert found.slope == pytest.approx(10, rel=0.01)
    assert found.offset == pytest.approx(12, rel=0.01)


def test_separated_scores_keep_a_finite_slope():
    found = fit_calibration(np.full(50, 0.2) + np.arange(50) * 1e-3, np.full(900, 1.2) + np.arange(900) * 1e-5)
    assert 0 < found.slope < 100
    assert found.log_lr(np.array([0.2]))[0] > 2 > -2 > found.log_lr(np.array([1.2]))[0]


def test_knowing_nothing_costs_one_bit_and_knowing_everything_none():
    assert cllr(np.zeros(5), np.zeros(9)) == pytest.approx(1)
    assert cllr(np.full(5, 50.0), np.full(9, -50.0)) == pytest.approx(0, abs=1e-9)
    assert cllr(np.full(5, np.log(3)), np.full(9, -np.log(3))) == pytest.approx(np.log2(4 / 3))
    assert cllr(np.full(5, -3.0), np.full(9, 3.0)) > 1


@given(st.integers(0, 500), st.integers(1, 40), st.integers(1, 60), st.sampled_from([5, 1000]))
def test_the_least_cost_is_that_of_scikit_learns_isotonic_calibration(seed, genuine, impostor, values):
    rng = np.random.default_rng(seed)
    mated, other = rng.integers(0, values, genuine) / 1.0, rng.integers(values // 4, 2 * values, impostor) / 1.0
    distances = np.concatenate([mated, other])
    truth = np.repeat([1.0, 0.0], [genuine, impostor])
    weight = np.repeat([0.5 / genuine, 0.5 / impostor], [genuine, impostor])
    posterior = IsotonicRegression(increasing=False).fit_transform(distances, truth, sample_weight=weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(truth == 1, -np.log2(posterior), -np.log2(1 - posterior))
    assert min_cllr(mated, other) == pytest.approx(float((weight * bits).sum()), abs=1e-9)


@given(st.integers(0, 50))
def test_no_straight_line_costs_less_than_the_least_cost(seed):
    genuine, impostor = overlapping(seed, 60, 300)
    found = fit_calibration(genuine, impostor)
    least = min_cllr(genuine, impostor)
    assert least <= cllr(found.log_lr(genuine), found.log_lr(impostor)) <= 1
    poor = Calibration(found.slope * 4, found.offset + 1)
    assert cllr(poor.log_lr(genuine), poor.log_lr(impostor)) > cllr(found.log_lr(genuine), found.log_lr(impostor))


def test_the_calibration_error_is_the_gap_of_scikit_learns_reliability_curve():
    rng = np.random.default_rng(4)
    genuine, impostor = rng.normal(1, 2, 5000), rng.normal(-1, 2, 5000)  # as many of each: weights are equal
    posterior = 1 / (1 + np.exp(-np.concatenate([genuine, impostor])))
    truth = np.repeat([1, 0], 5000)
    shares, means = calibration_curve(truth, posterior, n_bins=15)
    sizes = np.histogram(posterior, bins=15, range=(0, 1))[0]
    expected = float((np.abs(shares - means) * sizes[sizes > 0]).sum() / 10_000)
    assert expected_calibration_error(genuine, impostor) == pytest.approx(expected, abs=1e-9)


def test_a_calibrated_model_is_honest_and_an_overconfident_one_is_not():
    genuine, impostor = overlapping(1)
    fitted = fit_calibration(genuine, impostor)
    loud = Calibration(fitted.slope * 5, fitted.offset * 5)
    fresh = overlapping(2)
    honest, wild = (expected_calibration_error(each.log_lr(fresh[0]), each.log_lr(fresh[1])) for each in (fitted, loud))
    assert honest < 0.05
    assert wild > honest


def test_scores_of_one_kind_are_refused():
    with pytest.raises(DataError):
        fit_calibration(np.ones(3), np.empty(0))
    with pytest.raises(DataError):
        min_cllr(np.empty(0), np.ones(3))
