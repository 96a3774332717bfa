"""Subject bootstrap: against scipy's, and how often its intervals hold the truth."""

import numpy as np
import pytest
from scipy.stats import beta, bootstrap

from models.errors import DataError
from models.metrics.intervals import rank1_interval
from models.metrics.resampling import Method, subject_interval


@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_intervals_are_those_of_scipy_up_to_the_draws(ours: Method, theirs: str):
    rng = np.random.default_rng(3)
    sums, counts = rng.gamma(0.7, 4.0, 40), rng.integers(1, 9, 40).astype(float)
    found = subject_interval(lambda t: (t @ sums) / (t @ counts), 40, seed=0, draws=20_000, method=ours)
    expected = bootstrap(
        (sums, counts),
        lambda a, b, axis: a.sum(axis=axis) / b.sum(axis=axis),
        paired=True,
        n_resamples=20_000,
        method=theirs,
        rng=1,
    ).confidence_interval
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)


def test_bca_moves_a_skewed_interval_the_way_of_the_skew():
    sums = np.concatenate([np.zeros(30), np.full(3, 10.0)])
    plain, corrected = (
        subject_interval(lambda t: t @ sums / t.sum(axis=1), 33, seed=0, method=method)
        for method in ("percentile", "bca")
    )
    assert corrected.value == plain.value
    assert corrected.low > plain.low
    assert corrected.high > plain.high


def test_bca_without_spread_is_the_percentile_interval():
    found = subject_interval(lambda t: np.ones(len(t)), 12, seed=0, method="bca")
    assert (found.low, found.value, found.high) == (1, 1, 1)


def test_draws_without_a_value_are_left_out_while_they_are_few():
    def often_nan(times):
        return np.where(times[:, 0] > 0, times[:, 1], np.nan)

    def rarely_nan(times):
        return np.where(times[:, :5].sum(axis=1) > 0, times.mean(axis=1), np.nan)

    assert subject_interval(rarely_nan, 8, seed=0).value == 1
    with pytest.raises(DataError, match="unknown in"):
        subject_interval(often_nan, 8, seed=0)


@pytest.mark.parametrize(("subjects", "level", "draws"), [(0, 0.95, 500), (5, 1.0, 500), (5, 0.95, 99)])
def test_nonsense_is_refused(subjects, level, draws):
    with pytest.raises(DataError):
        subject_interval(lambda t: t.sum(axis=1), subjects, 0, level, draws)


def covered(people: int, truth: float, method: Method, trials: int, seed: int) -> float:
    """Share of 95 % intervals that hold the true rank-1: everybody has an own chance, and 24 probes."""
    rng = np.random.default_rng(seed)
    names = [f"s{k}" for k in np.repeat(np.arange(people), 24)]
    inside = 0
    for trial in range(trials):
        chance = beta.rvs(10 * truth, 10 * (1 - truth), size=people, random_state=rng)
        hits = (rng.random((people, 24)) < chance[:, None]).ravel()
        found = rank1_interval(hits, names, seed=trial, draws=400, method=method)
        inside += found.low <= truth <= found.high
    return inside / trials


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_ninety_five_per_cent_intervals_hold_the_truth_about_as_often(method: Method):
    assert 0.88 <= covered(60, 0.9, method, trials=150, seed=0) <= 0.99


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("truth", [0.7, 0.9, 0.98])
@pytest.mark.parametrize("people", [30, 100, 300])
def test_coverage_over_two_thousand_studies(people: int, truth: float, method: Method, record_property):
    """Near one and with few people it falls short, as it must: 30 people seldom show who is badly recognised."""
    share = covered(people, truth, method, trials=2000, seed=people)
    record_property("coverage", share)
    print(f"coverage of 95 % intervals: {people} people, rank-1 {truth}, {method}: {100 * share:.1f} %")
    assert share >= (0.92 if people >= 100 else 0.85)
    assert share <= 0.975
