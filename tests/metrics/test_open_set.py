"""Open-set searches against a loop over probes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.open_set import OpenSet, fnir_at_fpir, open_set
from models.metrics.operating_points import TooFewComparisons


@given(st.integers(0, 200), st.integers(3, 7), st.integers(1, 5))
def test_each_search_is_what_a_loop_over_the_enrolled_finds(seed, people, each):
    rng = np.random.default_rng(seed)
    names = [f"p{k}" for k in range(people)]
    gallery = [*names, names[0]]
    probes = [name for name in names for _ in range(each)]
    distances = rng.random((len(gallery), len(probes)))
    enrolled = names[: people // 2]
    found = open_set(distances, gallery, probes, enrolled, lost_subjects=[names[0], names[-1]])
    mated, nonmated = [], []
    for column, name in enumerate(probes):
        candidates = [(distances[row, column], who) for row, who in enumerate(gallery) if who in enrolled]
        distance, who = min(candidates)
        if name in enrolled:
            mated.append(distance if who == name else np.inf)
        else:
            nonmated.append(distance)
    assert found.mated.tolist() == mated
    assert found.nonmated.tolist() == nonmated
    assert found.failures == 1


def test_fnir_counts_wrong_first_places_far_mates_and_failures():
    nonmated = np.arange(100.0, 200.0)
    searches = OpenSet(np.array([50.0, 129.0, 130.0, np.inf]), nonmated, failures=1)
    point = fnir_at_fpir(searches, 0.3)
    assert point.distance == 129.0
    assert point.fnir == pytest.approx(3 / 5)
    assert (point.mated, point.nonmated) == (5, 100)


def test_too_few_non_mated_searches_are_refused():
    with pytest.raises(TooFewComparisons):
        fnir_at_fpir(OpenSet(np.ones(5), np.arange(99.0), 0), 0.3)


@pytest.mark.parametrize("enrolled", [[], ["a", "b"], ["stranger"]])
def test_everybody_or_nobody_enrolled_is_no_open_set(enrolled):
    with pytest.raises(DataError, match="open set"):
        open_set(np.ones((2, 2)), ["a", "b"], ["a", "b"], enrolled)
