"""Bootstrap intervals: coverage by simulation, and what must not move them."""

import numpy as np
import pytest

from models.errors import DataError
from models.metrics.intervals import mean_interval, paired_interval, rank1_interval


def correlated_hits(generator, people=40, probes=12):
    """Each person has an own chance of being recognised; the mean chance is 0.7."""
    chance = generator.beta(2.1, 0.9, people)
    hits = generator.random((people, probes)) < chance[:, None]
    return hits.ravel(), [f"s{k}" for k in np.repeat(np.arange(people), probes)]


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered, naive = 0, 0
    trials = 100
    for trial in range(trials):
        hits, subjects = correlated_hits(generator)
        interval = rank1_interval(hits, subjects, seed=trial, level=0.9, draws=200)
        covered += interval.low <= 0.7 <= interval.high
        scores_drawn = mean_interval(hits.astype(float), [str(k) for k in range(len(hits))], trial, 0.9, 200)
        naive += scores_drawn.low <= 0.7 <= scores_drawn.high
    assert 0.80 <= covered / trials <= 0.97
    assert naive / trials < 0.75, "drawing scores instead of people must be seen to be too sure"


def test_one_seed_gives_one_interval_and_another_seed_another():
    hits, subjects = correlated_hits(np.random.default_rng(1))
    first = rank1_interval(hits, subjects, seed=5)
    assert first == rank1_interval(hits, subjects, seed=5)
    assert first != rank1_interval(hits, subjects, seed=6)
    assert first.low < first.value < first.high
    assert first.value == hits.mean()
    assert (first.level, first.subjects) == (0.95, 40)


def test_pairing_is_tighter_than_two_intervals_and_a_model_equals_itself():
    generator = np.random.default_rng(2)
    hits, subjects = correlated_hits(generator)
    better = hits | (generator.random(len(hits)) < 0.1)
    difference = paired_interval(better, hits, subjects, seed=0)
    alone = rank1_interval(hits, subjects, seed=0)
    assert difference.low > 0
    assert difference.high - difference.low < (alone.high - alone.low) / 2
    same = paired_interval(hits, hits, subjects, seed=0)
    assert (same.low, same.value, same.high) == (0.0, 0.0, 0.0)


def test_subjects_with_many_probes_weigh_by_their_probes():
    values = np.array([1.0] * 90 + [0.0] * 10)
    interval = mean_interval(values, ["a"] * 90 + ["b"] * 10, seed=0)
    assert interval.value == pytest.approx(0.9)
    assert (interval.low, interval.high) == (0.0, 1.0)


@pytest.mark.parametrize(("values", "subjects"), [([], []), ([1.0], ["a", "b"]), ([np.nan], ["a"])])
def test_nonsense_is_refused(values, subjects):
    with pytest.raises(DataError):
        mean_interval(np.array(values, np.float64), subjects, seed=0)
