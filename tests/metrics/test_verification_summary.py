"""The summary of verification: thresholds from some people, error rates from others."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.errors import DataError
from models.metrics.comparisons import Comparisons, compare_all
from models.metrics.error_rates import equal_error_rate, error_curve
from models.metrics.verification_summary import eer_interval, half_of, verify


def benchmark(seed: int, people: int = 40, probes: int = 20, spread: float = 1.0, lost: int = 0) -> Comparisons:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 6))
    searched = np.repeat(centres, probes, axis=0) + rng.normal(0, spread, (people * probes, 6))
    names = [f"p{k:02d}" for k in range(people)]
    distances = np.linalg.norm(centres[:, None] - searched[None], axis=2)
    return compare_all(distances, names, [name for name in names for _ in range(probes)], names[:lost])


def test_nobody_who_sets_a_threshold_is_measured_at_it():
    given = benchmark(0, lost=3)
    development = half_of(given.subjects, seed=1)
    others = [name for name in given.subjects if name not in development]
    found = verify(given, development, seed=0)
    assert [point.measured.threshold.fmr for point in found.points] == [0.01]
    assert [reason.split(" needs")[0] for reason in found.refused] == ["FMR 0.001", "FMR 0.0001"]
    point = found.points[0].measured
    setting, measured = given.among(development), given.among(others)
    assert point.threshold.impostors == len(setting.impostor) == 20 * 19 * 20
    assert (setting.impostor <= point.threshold.distance).mean() <= 0.01
    misses = (measured.genuine > point.threshold.distance).sum() + len(measured.failed)
    assert point.fnmr == pytest.approx(misses / (len(measured.genuine) + len(measured.failed)))
    assert point.false_matches == (measured.impostor <= point.threshold.distance).sum()
    assert found.points[0].fnmr.low <= point.fnmr <= found.points[0].fnmr.high


def test_figures_over_everybody_are_those_of_scikit_learn_and_of_the_curve():
    given = benchmark(1)
    found = verify(given, half_of(given.subjects, 0), seed=0)
    truth = np.repeat([1, 0], [len(given.genuine), len(given.impostor)])
    assert found.auc == pytest.approx(roc_auc_score(truth, -np.concatenate([given.genuine, given.impostor])))
    assert found.eer.value == equal_error_rate(error_curve(given.genuine, given.impostor))
    assert found.eer.low < found.eer.value < found.eer.high
    assert 0 <= found.min_cllr <= found.cllr < 1
    assert found.calibration.slope > 0


def test_the_interval_of_the_equal_error_rate_holds_other_people():
    """Drawing comparisons instead of people would be far too sure: the interval must cover fresh studies."""
    truth = np.mean([benchmark_eer(seed) for seed in range(100, 140)])
    inside, naive = 0, 0
    for seed in range(30):
        given = benchmark(seed, people=25, probes=8, spread=1.2)
        found = eer_interval(given, seed, draws=100)
        inside += found.low <= truth <= found.high
        half_width = 1.96 * np.sqrt(found.value * (1 - found.value) / len(given.impostor))
        naive += abs(found.value - truth) <= half_width
    assert inside >= 25
    assert naive < 20


def benchmark_eer(seed: int) -> float:
    given = benchmark(seed, people=25, probes=8, spread=1.2)
    return equal_error_rate(error_curve(given.genuine, given.impostor))


def test_the_summary_is_data():
    given = benchmark(2, lost=2)
    data = verify(given, half_of(given.subjects, 0), seed=0).as_data()
    assert json.loads(json.dumps(data, allow_nan=False)) == json.loads(json.dumps(data))
    assert data["curve"]["thresholds"][0] is None
    assert data["points"][0]["threshold"]["fmr"] == 0.01


def test_halves_are_halves_and_few_people_have_none():
    assert len(half_of([f"s{k}" for k in range(101)] * 3, seed=0)) == 50
    assert half_of(list("abcdef"), seed=0) == half_of(list("fedcba"), seed=0)
    with pytest.raises(DataError, match="at least four"):
        half_of(list("abc"), seed=0)
