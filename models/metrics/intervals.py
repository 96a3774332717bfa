"""Intervals of means over probes: scores of one person depend on each other, so people are drawn, not scores."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64
from numpy import ndarray

from models.errors import DataError
from models.metrics.resampling import Interval, Method, require_interval, subject_interval

__all__ = ["Interval", "mean_interval", "paired_interval", "rank1_interval", "sums_by_subject"]


def rank1_interval(
    hits: Bool[ndarray, " p"],
    subjects: Sequence[str],
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
    method: Method = "percentile",
) -> Interval:
    """Interval of the share of `hits` (one a probe; a failure to acquire is a False with its subject)."""
    return mean_interval(hits.astype(np.float64), subjects, seed, level, draws, method)


def paired_interval(
    first: Bool[ndarray, " p"],
    second: Bool[ndarray, " p"],
    subjects: Sequence[str],
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
    method: Method = "percentile",
) -> Interval:
    """Interval of the rank-1 difference `first` - `second` of two models on the same probes."""
    difference = first.astype(np.float64) - second.astype(np.float64)
    return mean_interval(difference, subjects, seed, level, draws, method)


def mean_interval(
    values: Float64[ndarray, " p"],
    subjects: Sequence[str],
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
    method: Method = "percentile",
) -> Interval:
    """Interval of the mean of `values`, drawing whole subjects with replacement; see `subject_interval`.

    Every draw divides by its own number of probes, since subjects differ in theirs. With a single subject, or
    without spread between them, the interval has no width. Raises `DataError` on no or unequal input.
    """
    sums, counts = sums_by_subject(values, subjects)
    require_interval(len(counts), level, draws)
    if len(counts) == 1:
        return Interval(float(values.mean()), float(values.mean()), float(values.mean()), level, 1)
    return subject_interval(lambda times: (times @ sums) / (times @ counts), len(counts), seed, level, draws, method)


def sums_by_subject(
    values: Float64[ndarray, " p"], subjects: Sequence[str]
) -> tuple[Float64[ndarray, " s"], Float64[ndarray, " s"]]:
    """Sum of the values, and their number, of each subject in the order of their names; see `mean_interval`."""
    if len(values) == 0 or len(values) != len(subjects) or not np.isfinite(values).all():
        raise DataError(
            f"{len(values)} values for {len(subjects)} subject labels: give one label a finite value, at least one"
        )
    _, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    return np.bincount(owner, weights=values), np.bincount(owner).astype(np.float64)
