"""Totals spread over kinds and people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.faceworld.counts import apportion, spread_evenly, spread_unevenly

SHARES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5000), min_size=1)


@given(st.integers(0, 10_000), SHARES)
def test_parts_add_up_and_are_within_one_of_their_exact_share(total, shares):
    parts = apportion(total, shares)
    assert sum(parts.values()) == total
    for name, share in shares.items():
        assert abs(parts[name] - total * share / sum(shares.values())) < 1


@given(st.integers(0, 3000), st.integers(1, 300))
def test_spread_evenly_adds_up_and_nobody_has_two_more_than_another(total, people):
    each = spread_evenly(total, people)
    assert each.sum() == total
    assert np.ptp(each) <= 1


@pytest.mark.parametrize("people", [2, 466])
def test_spread_unevenly_adds_up_with_the_least_for_each_and_many_for_some(people):
    each = spread_unevenly(9 * people, people, np.random.default_rng(0), least=1)
    assert each.sum() == 9 * people
    assert each.min() >= 1
    if people > 2:
        assert 18 <= each.max() <= 35
        assert (each <= 3).mean() > 0.1
