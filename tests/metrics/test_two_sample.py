"""Drift by a classifier: against scikit-learn's discriminant, all orders of few people, and alarms counted."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from models.errors import DataError
from models.metrics.multiplicity import holm
from models.metrics.two_sample import classifier_test, discriminant

LEVEL = 0.05


def sides(rng: np.random.Generator, counts: tuple[int, int], photos: int, shift: float, size: int = 4):
    found = []
    for name, count, moved in zip("ab", counts, (0.0, shift), strict=True):
        centres = rng.normal(0, 1, (count, size)) + moved * (np.arange(size) == 0)
        rows = np.repeat(centres, photos, axis=0) + rng.normal(0, 0.1, (count * photos, size))
        found += [rows, [f"{name}{who}" for who in range(count) for _ in range(photos)]]
    return tuple(found)


def test_the_direction_is_that_of_scikit_learns_discriminant():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(30, 5)) @ rng.normal(size=(5, 5)), rng.normal(0.7, 1, size=(20, 5))
    ours = discriminant(first, second, shrinkage=0.0)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(np.concatenate([first, second]), [0] * 30 + [1] * 20)
    cosine = ours @ theirs.coef_[0] / np.linalg.norm(ours) / np.linalg.norm(theirs.coef_[0])
    assert cosine == pytest.approx(1, abs=1e-9)


def test_shrunk_to_a_sphere_it_points_from_one_mean_to_the_other():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(9, 3)), rng.normal(size=(7, 3))
    ours, way = discriminant(first, second, shrinkage=1.0), second.mean(axis=0) - first.mean(axis=0)
    np.testing.assert_allclose(ours / np.linalg.norm(ours), way / np.linalg.norm(way), atol=1e-9)


def test_area_and_chance_are_those_of_the_held_out_people():
    rng, seed = np.random.default_rng(3), 11
    x, who_x, y, who_y = sides(rng, (9, 8), 3, shift=1.0)
    found = classifier_test(x, who_x, y, who_y, seed)
    means = [rows.reshape(-1, 3, 4).mean(axis=1) for rows in (x, y)]
    draws = np.random.default_rng(seed)
    orders = [draws.permutation(len(side)) for side in means]
    known = [side[order[: len(side) // 2]] for side, order in zip(means, orders, strict=True)]
    held = [side[order[len(side) // 2 :]] for side, order in zip(means, orders, strict=True)]
    scores = np.concatenate([side @ discriminant(*known, shrinkage=0.2) for side in held])
    truth = np.array([0] * len(held[0]) + [1] * len(held[1]))
    assert found.auc == pytest.approx(roc_auc_score(truth, scores))
    assert found.held_out == len(scores) == 9
    ranks = scores.argsort().argsort()
    sums = [sum(ranks[list(chosen)]) for chosen in combinations(range(9), len(held[1]))]
    assert found.p == pytest.approx(np.mean(np.array(sums) >= ranks[truth == 1].sum()))


def alarms(rounds: int, shift: float) -> int:
    count = 0
    for seed in range(rounds):
        found = sides(np.random.default_rng([9, seed]), (24, 16), 4, shift, size=30)
        count += classifier_test(*found, seed).p <= LEVEL
    return count


def test_false_alarms_are_no_more_than_the_level_says_with_more_columns_than_people():
    rounds = 250
    assert alarms(rounds, shift=0.0) <= binom.ppf(0.9995, rounds, LEVEL)


def test_a_shift_of_three_deviations_in_one_of_thirty_columns_is_seen():
    assert alarms(40, shift=3.0) >= 32


def test_too_few_people_are_refused():
    rng = np.random.default_rng(4)
    x, who_x, y, who_y = sides(rng, (3, 8), 3, shift=1.0)
    with pytest.raises(DataError, match="3 people on one side"):
        classifier_test(x, who_x, y, who_y, 0)


def test_holm_by_hand_and_its_share_of_nights_with_a_false_alarm():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({}) == {}
    with pytest.raises(DataError, match="no probability"):
        holm({"a": float("nan")})
    draws = np.random.default_rng(5).uniform(size=(4000, 6))
    nights = sum(min(holm(dict(zip("abcdef", night, strict=True))).values()) <= LEVEL for night in draws.tolist())
    assert nights <= binom.ppf(0.9995, 4000, LEVEL)
