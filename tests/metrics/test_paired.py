"""Paired tests against sums written out, other tests of scipy, and their rate of false alarms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, ttest_1samp

from models.errors import DataError
from models.metrics.paired import clustered_mcnemar, compare_models, exact_mcnemar


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_exact_test_is_the_binomial_sum_written_out(first, second):
    total = first + second
    tail = sum(math.comb(total, k) for k in range(min(first, second) + 1)) / 2**total
    assert exact_mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail))


def test_with_one_probe_a_subject_clusters_change_nothing():
    rng = np.random.default_rng(0)
    first, second = rng.random(200) < 0.9, rng.random(200) < 0.8
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    p = clustered_mcnemar(first, second, [str(k) for k in range(200)])
    assert p == pytest.approx(chi2.sf((b - c) ** 2 / (b + c), 1))


def study(rng, gain: float, people: int = 60, probes: int = 24):
    """Two models that err on the same people; the second hits `gain` more often."""
    hard = rng.beta(3, 1, people)
    shift = rng.normal(0, 0.15, people)  # some people suit one model, some the other
    first = rng.random((people, probes)) < np.clip(hard + shift, 0, 1)[:, None]
    second = rng.random((people, probes)) < np.clip(hard - shift + gain, 0, 1)[:, None]
    return first.ravel(), second.ravel(), [f"s{k}" for k in np.repeat(np.arange(people), probes)]


def test_clusters_keep_false_alarms_near_their_level_where_the_plain_test_cries_wolf():
    rng = np.random.default_rng(1)
    plain, clustered, agreed = 0, 0, 0
    for _ in range(100):
        first, second, subjects = study(rng, gain=0.0)
        b, c = int((first & ~second).sum()), int((second & ~first).sum())
        plain += exact_mcnemar(b, c) < 0.05
        p = clustered_mcnemar(first, second, subjects)
        clustered += p < 0.05
        sums = (first.astype(float) - second).reshape(60, 24).sum(axis=1)
        agreed += abs(ttest_1samp(sums, 0).pvalue - p) < 0.02
    assert clustered / 100 < 0.12
    assert plain / 100 > 0.3
    assert agreed == 100


def test_a_better_model_is_seen_and_a_model_equals_itself():
    first, second, subjects = study(np.random.default_rng(2), gain=0.25)
    found = compare_models(second, first, subjects, seed=0)
    assert found.difference.low > 0
    assert max(found.exact_p, found.clustered_p) < 0.01
    assert found.difference.value == pytest.approx((found.only_first - found.only_second) / len(first))
    same = compare_models(first, first, subjects, seed=0)
    assert (same.difference.value, same.exact_p, same.clustered_p) == (0, 1, 1)


def test_other_probes_are_no_pairs():
    with pytest.raises(DataError, match="same probes"):
        compare_models(np.ones(2, bool), np.ones(2, bool), ["a"], seed=0)
