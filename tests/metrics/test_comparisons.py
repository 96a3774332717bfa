"""Genuine and impostor scores against a loop over every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.comparisons import compare_all

PEOPLE = st.lists(st.sampled_from("abcde"), min_size=1, max_size=8)


@given(st.integers(0, 99), PEOPLE, PEOPLE, st.lists(st.sampled_from("abcde"), max_size=3))
def test_each_pair_is_genuine_or_impostor_and_knows_its_people(seed, gallery, probes, lost):
    distances = np.random.default_rng(seed).random((len(gallery), len(probes)))
    found = compare_all(distances, gallery, probes, lost)
    pairs = [(g, p, distances[i, j]) for i, g in enumerate(gallery) for j, p in enumerate(probes)]
    genuine = sorted((p, d) for g, p, d in pairs if g == p)
    impostor = sorted((g, p, d) for g, p, d in pairs if g != p)
    name = found.subjects
    assert sorted((name[o], d) for o, d in zip(found.genuine_owner, found.genuine, strict=True)) == genuine
    told = zip(found.impostor_reference, found.impostor_probe, found.impostor, strict=True)
    assert sorted((name[r], name[p], d) for r, p, d in told) == impostor
    assert [name[o] for o in found.failed] == lost


@given(st.integers(0, 99), PEOPLE, PEOPLE, st.sets(st.sampled_from("abcde")))
def test_a_part_shares_nobody_with_the_rest(seed, gallery, probes, chosen):
    distances = np.random.default_rng(seed).random((len(gallery), len(probes)))
    part = compare_all(distances, gallery, probes, probes).among(sorted(chosen))
    pairs = [(g, p, distances[i, j]) for i, g in enumerate(gallery) for j, p in enumerate(probes)]
    assert sorted(part.genuine) == sorted(d for g, p, d in pairs if g == p and p in chosen)
    assert sorted(part.impostor) == sorted(d for g, p, d in pairs if g != p and {g, p} <= chosen)
    assert len(part.failed) == sum(p in chosen for p in probes)


def test_labels_must_match_and_distances_be_finite():
    with pytest.raises(DataError, match="one label a scan"):
        compare_all(np.zeros((2, 1)), ["a"], ["a"])
    with pytest.raises(DataError, match="not finite"):
        compare_all(np.full((1, 1), np.inf), ["a"], ["a"])
