"""Bootstrap intervals over subjects: scores of one person depend on each other, so people are drawn, not scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from numpy import ndarray

from models.errors import DataError

_DRAWS_AT_ONCE = 256


class Interval(NamedTuple):
    """An estimate and its percentile interval at `level`, from `subjects` people."""

    low: float
    value: float
    high: float
    level: float
    subjects: int


def rank1_interval(
    hits: Bool[ndarray, " p"], subjects: Sequence[str], seed: int, level: float = 0.95, draws: int = 2000
) -> Interval:
    """Interval of the share of `hits` (one a probe; a failure to acquire is a False with its subject)."""
    return mean_interval(hits.astype(np.float64), subjects, seed, level, draws)


def paired_interval(
    first: Bool[ndarray, " p"],
    second: Bool[ndarray, " p"],
    subjects: Sequence[str],
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
) -> Interval:
    """Interval of the rank-1 difference `first` - `second` of two models on the same probes."""
    difference = first.astype(np.float64) - second.astype(np.float64)
    return mean_interval(difference, subjects, seed, level, draws)


def mean_interval(
    values: Float64[ndarray, " p"], subjects: Sequence[str], seed: int, level: float = 0.95, draws: int = 2000
) -> Interval:
    """Percentile interval of the mean of `values`, drawing whole subjects with replacement. Efron 1979.

    Every draw divides by its own number of probes, since subjects differ in theirs. With a single subject, or
    without spread between them, the interval has no width. Raises `DataError` on no or unequal input.
    """
    if len(values) == 0 or len(values) != len(subjects):
        raise DataError(
            f"{len(values)} values for {len(subjects)} subject labels: give one label a value, at least one"
        )
    if not (0 < level < 1 and draws >= 100 and np.isfinite(values).all()):
        raise DataError(
            f"interval at level {level} from {draws} draws: finite values, level in (0, 1), 100 draws or more"
        )
    _, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    counts = np.bincount(owner).astype(np.float64)
    sums = np.bincount(owner, weights=values)
    generator = np.random.default_rng(seed)
    means = np.concatenate(
        [
            _draw_means(sums, counts, min(_DRAWS_AT_ONCE, draws - start), generator)
            for start in range(0, draws, _DRAWS_AT_ONCE)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(values.mean()), float(high), level, len(counts))


def _draw_means(
    sums: Float64[ndarray, " s"], counts: Float64[ndarray, " s"], draws: int, generator: np.random.Generator
) -> Float64[ndarray, " r"]:
    """Mean over all probes of the subjects drawn, once a draw."""
    people = len(sums)
    times = generator.multinomial(people, np.full(people, 1 / people), size=draws).astype(np.float64)
    return (times @ sums) / (times @ counts)
