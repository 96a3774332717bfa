"""Ranks and CMC against a candidate list sorted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.identification import cmc, rank_k, rank_of_genuine


def rank_by_sorting(column, gallery_labels, own):
    seen = []
    for _, _, label in sorted(
        (d, row, label) for row, (d, label) in enumerate(zip(column, gallery_labels, strict=True))
    ):
        if label not in seen:
            seen.append(label)
    return seen.index(own) + 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.integers(1, 12), st.integers(1, 6))
def test_ranks_are_places_in_the_sorted_list_of_subjects(seed, scans, probes, people):
    generator = np.random.default_rng(seed)
    gallery = [f"s{k}" for k in generator.integers(0, people, scans)]
    own = [gallery[k] for k in generator.integers(0, scans, probes)]
    distances = generator.integers(0, 5, (scans, probes)).astype(np.float32)  # few values: many ties
    expected = [rank_by_sorting(distances[:, k].tolist(), gallery, own[k]) for k in range(probes)]
    assert rank_of_genuine(distances, gallery, own).tolist() == expected


def test_a_subject_counts_by_its_nearest_scan():
    distances = np.array([[5.0], [1.0], [2.0]], np.float32)
    assert rank_of_genuine(distances, ["a", "a", "b"], ["b"]).tolist() == [2]
    assert rank_of_genuine(distances, ["b", "a", "b"], ["b"]).tolist() == [2]
    assert rank_of_genuine(distances, ["a", "b", "a"], ["b"]).tolist() == [1]


def test_a_probe_that_is_not_enrolled_is_refused():
    with pytest.raises(DataError, match="1 probes have no gallery scan, such as c"):
        rank_of_genuine(np.zeros((2, 1), np.float32), ["a", "b"], ["c"])


def test_labels_must_match_and_distances_be_finite():
    with pytest.raises(DataError, match="one label a scan"):
        rank_of_genuine(np.zeros((2, 1), np.float32), ["a"], ["a"])
    with pytest.raises(DataError, match="not finite"):
        rank_of_genuine(np.full((1, 1), np.nan, np.float32), ["a"], ["a"])


def test_the_curve_counts_ranks_up_to_each_place_and_failures_as_misses():
    ranks = np.array([1, 1, 3, 9])
    np.testing.assert_allclose(cmc(ranks, 4), [0.5, 0.5, 0.75, 0.75])
    np.testing.assert_allclose(cmc(ranks, 10, failures=4), np.array([2, 2, 3, 3, 3, 3, 3, 3, 4, 4]) / 8)
    assert rank_k(ranks) == 0.5
    assert rank_k(ranks, 3, failures=1) == 0.6
    assert rank_k(np.empty(0, np.int64), failures=3) == 0.0


@pytest.mark.parametrize(("ranks", "k", "failures"), [([], 1, 0), ([1], 0, 0), ([1], 1, -1), ([0, 1], 1, 0)])
def test_a_curve_without_meaning_is_refused(ranks, k, failures):
    with pytest.raises(DataError):
        cmc(np.array(ranks, np.int64), k, failures)
