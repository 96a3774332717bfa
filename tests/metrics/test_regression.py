"""A worse model is called worse, an equal one as rarely as promised."""

import numpy as np
import pytest
from scipy.stats import binom

from models.errors import DataError
from models.metrics.paired import compare_models
from models.metrics.regression import Difference, judge_drops


def test_a_drop_needs_size_and_certainty():
    found = judge_drops(
        {
            "clear": Difference(-0.05, 0.0001),
            "small": Difference(-0.001, 0.0001),
            "unsure": Difference(-0.05, 0.2),
            "better": Difference(0.05, 0.0001),
        },
        level=0.01,
        smallest=0.005,
    )
    assert {name for name, drop in found.items() if drop.worse} == {"clear"}
    assert found["clear"].adjusted_p == pytest.approx(4 * 0.00005)
    assert found["better"].p == pytest.approx(0.99995)
    assert judge_drops({}, 0.01, 0.005) == {}


def test_no_change_is_no_drop_even_where_any_drop_counts():
    assert not judge_drops({"same": Difference(0.0, 1.0)}, level=0.9, smallest=0.0)["same"].worse


def test_a_level_that_is_no_probability_is_refused():
    with pytest.raises(DataError, match="a probability and a share"):
        judge_drops({}, 0.0, 0.005)


def hits(rng: np.random.Generator, people: int, probes: int, rate: float) -> np.ndarray:
    """Probes of one person succeed or fail together more often than not."""
    person = np.clip(rng.normal(rate, 0.15, people), 0, 1)
    return rng.uniform(size=(people, probes)) < person[:, None]


def alarms(rounds: int, drop: float) -> int:
    count = 0
    for seed in range(rounds):
        rng = np.random.default_rng([3, seed])
        found = {}
        for name in ("one", "two", "three"):
            subjects = [str(who) for who in range(40) for _ in range(10)]
            now, before = hits(rng, 40, 10, 0.85 - drop).ravel(), hits(rng, 40, 10, 0.85).ravel()
            pair = compare_models(now, before, subjects, seed)
            found[name] = Difference(pair.difference.value, pair.clustered_p)
        count += any(drop.worse for drop in judge_drops(found, 0.05, 0.005).values())
    return count


def test_equal_models_are_called_worse_no_more_often_than_the_level_says():
    assert alarms(120, drop=0.0) <= binom.ppf(0.999, 120, 0.05)


def test_twenty_points_less_are_seen():
    assert alarms(20, drop=0.2) == 20
