"""Slices against plain counting, and differences that are there or not."""

import numpy as np
import pytest

from models.errors import DataError
from models.metrics.groups import UNLABELLED, differentials
from models.metrics.intervals import rank1_interval


def study(seed: int, gap: float, people: int = 80, probes: int = 12):
    """Half the people are women; men are recognised `gap` less often. Every other probe smiles, which costs .3."""
    rng = np.random.default_rng(seed)
    sex = np.repeat(["f", "m"], people // 2)
    own = np.clip(rng.normal(0.75, 0.05, people) - np.where(sex == "m", gap, 0), 0, 1)
    smiles = np.arange(people * probes) % 2 == 1
    hits = rng.random(people * probes) < np.repeat(own, probes) - np.where(smiles, 0.3, 0)
    subjects = [f"s{k}" for k in np.repeat(np.arange(people), probes)]
    labels = {"sex": np.repeat(sex, probes).tolist(), "expression": np.where(smiles, "happy", "neutral").tolist()}
    return hits, subjects, labels


def test_slices_are_counted_plainly_and_lost_probes_are_in_them():
    hits, subjects, labels = study(0, 0.0)
    lost = np.zeros(len(hits), bool)
    lost[:5], hits[:5] = True, False
    sex, expression = differentials(hits, lost, subjects, labels, seed=0)
    assert (sex.label, expression.label) == ("sex", "expression")
    for found, values in ((sex, labels["sex"]), (expression, labels["expression"])):
        for part in found.slices:
            inside = np.array(values) == part.group
            assert part.probes == inside.sum()
            assert part.lost == (lost & inside).sum()
            assert part.rank1.value == pytest.approx(hits[inside].mean())
            own = [who for who, is_in in zip(subjects, inside, strict=True) if is_in]
            assert part.subjects == part.rank1.subjects == len(set(own))
            assert part.against_rest is not None
            assert part.against_rest.value == pytest.approx(hits[inside].mean() - hits[~inside].mean())
            alone = rank1_interval(hits[inside], own, seed=0)
            assert (part.rank1.low, part.rank1.high) == pytest.approx((alone.low, alone.high))


def test_a_difference_that_is_there_is_seen_and_one_that_is_not_seldom_is():
    seen = {0.0: 0, 0.3: 0}
    for gap in seen:
        for seed in range(20):
            hits, subjects, labels = study(seed, gap, people=60, probes=8)
            sex, expression = differentials(hits, np.zeros(len(hits), bool), subjects, labels, seed, draws=300)
            seen[gap] += bool(sex.distinct)
            assert expression.distinct == ("happy", "neutral")
    assert seen[0.3] == 20
    assert seen[0.0] <= 3


def test_a_person_in_both_groups_is_drawn_in_both_so_the_gap_is_tighter():
    rng = np.random.default_rng(1)
    chance = rng.beta(2, 1, 60)
    hits = (rng.random((60, 20)) < chance[:, None]).ravel()
    subjects = [f"s{k}" for k in np.repeat(np.arange(60), 20)]
    within = ["a", "b"] * 600
    between = ["a" if k < 600 else "b" for k in range(1200)]
    paired, apart = differentials(hits, np.zeros(1200, bool), subjects, {"w": within, "b": between}, seed=0)
    widths = [each.slices[0].against_rest for each in (paired, apart)]
    assert widths[0].high - widths[0].low < 0.6 * (widths[1].high - widths[1].low)


def test_unknown_labels_are_a_group_and_a_label_of_one_group_is_none():
    hits, lost = np.array([True, False, True, True]), np.zeros(4, bool)
    found = differentials(hits, lost, list("abcd"), {"sex": ["f", "", "f", ""], "all": ["x"] * 4}, seed=0)
    assert [each.label for each in found] == ["sex"]
    assert [part.group for part in found[0].slices] == ["f", UNLABELLED]


def test_a_group_of_one_person_has_a_rate_and_no_difference():
    found = differentials(np.ones(6, bool), np.zeros(6, bool), list("aabbcc"), {"g": list("xxyyyy")}, seed=0)
    assert [part.against_rest for part in found[0].slices] == [None, None]
    assert found[0].slices[0].rank1.value == 1


def test_labels_of_another_length_are_refused():
    with pytest.raises(DataError, match="one a probe"):
        differentials(np.ones(2, bool), np.zeros(2, bool), ["a", "b"], {"sex": ["f"]}, seed=0)
