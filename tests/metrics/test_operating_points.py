"""Thresholds and the error rates at them, against counting; the rule of 30 against the binomial distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from models.errors import DataError
from models.metrics.operating_points import (
    TooFewComparisons,
    measure_at,
    require_rule_of_30,
    threshold_at_fmr,
)


@given(st.integers(0, 500), st.integers(300, 900), st.sampled_from([0.1, 0.15, 0.3]), st.sampled_from([50, 10_000]))
def test_the_threshold_is_the_largest_that_keeps_the_rate(seed, count, fmr, values):
    impostor = np.random.default_rng(seed).integers(0, values, count).astype(float)
    found = threshold_at_fmr(impostor, fmr)
    assert found.distance in impostor
    assert sum(d <= found.distance for d in impostor) <= fmr * count
    larger = min(d for d in impostor if d > found.distance)
    assert sum(d <= larger for d in impostor) > fmr * count


def test_what_a_threshold_does_to_others_is_counted_with_failures():
    threshold = threshold_at_fmr(np.arange(1.0, 101.0), 0.3)
    assert threshold == (0.3, 30.0, 100)
    genuine, impostor = np.array([10.0, 30.0, 30.5, 50.0]), np.concatenate([np.full(90, 99.0), np.full(10, 30.0)])
    found = measure_at(threshold, genuine, impostor, failures=6)
    assert (found.fnmr, found.fmr, found.false_matches) == (0.8, 0.1, 10)
    assert (found.genuine, found.failures, found.impostors) == (4, 6, 100)


def test_too_few_comparisons_are_refused_with_what_is_needed():
    with pytest.raises(TooFewComparisons, match=r"FMR 0\.001 needs 30000 impostor comparisons.*there are 29999"):
        threshold_at_fmr(np.arange(29_999.0), 1e-3)
    assert threshold_at_fmr(np.arange(30_000.0), 1e-3).distance == 29
    few = np.arange(99.0)
    with pytest.raises(TooFewComparisons):
        measure_at(threshold_at_fmr(np.arange(100.0), 0.3), few, few)


@pytest.mark.parametrize("rate", [0.01, 0.001])
def test_thirty_errors_are_what_makes_a_rate_good_to_thirty_per_cent(rate):
    """Doddington's rule: the true rate lies within 30 % of the measured with 90 % confidence."""
    count = round(30 / rate)
    require_rule_of_30(count, rate)
    within = binom.cdf(39, count, rate) - binom.cdf(20, count, rate)
    assert 0.89 < within < 0.94
    third = count // 3
    assert binom.cdf(13, third, rate) - binom.cdf(6, third, rate) < 0.8


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_a_rate_outside_the_open_unit_interval_is_refused(rate):
    with pytest.raises(DataError, match="between 0 and 1"):
        require_rule_of_30(10**9, rate)


def test_ties_that_leave_no_threshold_are_refused():
    with pytest.raises(DataError, match="tie at distance 1"):
        threshold_at_fmr(np.ones(1000), 0.1)
