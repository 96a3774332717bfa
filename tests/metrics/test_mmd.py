"""Drift by the kernel: against slow sums, a closed form, every division of few people, and alarms counted."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from models.errors import DataError
from models.metrics.mmd import gaussian_kernel, mmd2, mmd_test
from models.metrics.people import membership, standardised

LEVEL = 0.05


def people(rng: np.random.Generator, count: int, photos: int, prefix: str, shift: float = 0.0, apart: float = 1.0):
    """Photos that scatter little around a person, and persons that scatter much."""
    centres = rng.normal(shift, apart, (count, 3))
    rows = np.repeat(centres, photos, axis=0) + rng.normal(0, 0.2, (count * photos, 3))
    return rows, [f"{prefix}{who}" for who in range(count) for _ in range(photos)]


def slow_mmd2(x: np.ndarray, y: np.ndarray, h: float) -> float:
    def k(a, b):
        return np.exp(-float(((a - b) ** 2).sum()) / (2 * h**2))

    m, n = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    yy = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (m * n)


def test_with_one_row_a_person_it_is_the_papers_sum():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 4)), rng.normal(0.5, 1, size=(5, 4))
    found = mmd_test(x, [None] * 7, y, [None] * 5, seed=0, permutations=9)
    assert found.mmd2 == pytest.approx(slow_mmd2(x, y, found.bandwidth), abs=1e-12)


def test_the_width_is_the_median_of_the_distances():
    rows = np.array([[0.0], [1.0], [3.0]])
    assert gaussian_kernel(rows)[1] == 2.0
    assert gaussian_kernel(np.zeros((3, 2)))[1] == 1.0


def test_it_estimates_the_discrepancy_of_two_normal_distributions():
    """Closed form for N(0, 1) and N(d, 1) under exp(-r^2 / 2h^2): 2 h / sqrt(h^2 + 2) (1 - exp(-d^2 / 2 (h^2 + 2)))."""
    rng, d, found = np.random.default_rng(2), 1.0, []
    for _ in range(200):
        rows = np.concatenate([rng.normal(0, 1, (40, 1)), rng.normal(d, 1, (40, 1))])
        kernel = np.exp(-((rows - rows.T) ** 2) / 2)
        found.append(float(mmd2(kernel, (np.arange(80) < 40)[None])[0]))
    expected = 2 / np.sqrt(3) * (1 - np.exp(-(d**2) / 6))
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / np.sqrt(len(found))


def test_the_chance_is_that_of_all_divisions_of_few_people():
    rng = np.random.default_rng(3)
    x, who_x = people(rng, 4, 2, "a", shift=1.0)
    y, who_y = people(rng, 3, 3, "b")
    found = mmd_test(x, who_x, y, who_y, seed=4, permutations=20_000)
    rows, names = np.concatenate([x, y]), np.array(who_x + who_y)
    order = list(dict.fromkeys(names))
    kernel = np.exp(-((rows[:, None] - rows[None]) ** 2).sum(-1) / (2 * found.bandwidth**2))
    mean = np.array([[kernel[np.ix_(names == a, names == b)].mean() for b in order] for a in order])

    def statistic(first):
        second = [k for k in range(7) if k not in first]
        one = sum(mean[a, b] for a in first for b in first if a != b) / (4 * 3)
        two = sum(mean[a, b] for a in second for b in second if a != b) / (3 * 2)
        return one + two - 2 * sum(mean[a, b] for a in first for b in second) / 12

    values = [statistic(first) for first in combinations(range(7), 4)]
    observed = statistic((0, 1, 2, 3))
    assert found.mmd2 == pytest.approx(observed, abs=1e-12)
    exact = np.mean([value >= observed - 1e-12 for value in values])
    assert abs(found.p - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4


def alarms(rounds: int, shift: float, known: bool) -> int:
    count = 0
    for seed in range(rounds):
        rng = np.random.default_rng([7, seed])
        x, who_x = people(rng, 10, 5, "a")
        y, who_y = people(rng, 8, 4, "b", shift)
        names = (who_x, who_y) if known else ([None] * len(x), [None] * len(y))
        count += mmd_test(x, names[0], y, names[1], seed, permutations=99).p <= LEVEL
    return count


def test_false_alarms_are_as_rare_as_the_level_says_though_photos_of_a_person_are_alike():
    rounds = 250
    count = alarms(rounds, shift=0.0, known=True)
    low, high = binom.ppf([0.0005, 0.9995], rounds, LEVEL)
    assert low <= count <= high


def test_people_taken_for_single_rows_would_raise_the_alarm_again_and_again():
    assert alarms(60, shift=0.0, known=False) > 20


def test_a_shift_of_one_and_a_half_deviations_is_seen():
    assert alarms(60, shift=1.5, known=True) >= 50


def test_another_spread_about_the_same_mean_is_seen():
    rng = np.random.default_rng(5)
    x, who_x = people(rng, 40, 2, "a")
    y, who_y = people(rng, 40, 2, "b", apart=0.4)
    assert mmd_test(x, who_x, y, who_y, seed=0).p <= 0.01


def test_the_same_seed_gives_the_same_answer_and_too_few_people_none():
    rng = np.random.default_rng(6)
    x, who = people(rng, 5, 2, "a")
    assert mmd_test(x, who, x + 0.1, who, seed=1) == mmd_test(x, who, x + 0.1, who, seed=1)
    with pytest.raises(DataError, match="two people on each side"):
        mmd_test(x, ["one"] * len(x), x, who, seed=1)
    with pytest.raises(DataError, match="finite row"):
        mmd_test(x * np.nan, who, x, who, seed=1)


def test_a_row_of_nobody_is_a_person_of_its_own():
    np.testing.assert_allclose(membership(["b", None, "b", None]) @ np.array([1.0, 2, 5, 7]), [3, 2, 7])


def test_columns_that_never_change_are_left_out_of_the_comparison():
    first, second = np.array([[1.0, 5], [3, 5]]), np.array([[2.0, 5], [6, 5]])
    one, two = standardised(first, second)
    assert one.shape == two.shape == (2, 1)
    both = np.concatenate([one, two])
    np.testing.assert_allclose([both.mean(), both.std()], [0, 1], atol=1e-12)
