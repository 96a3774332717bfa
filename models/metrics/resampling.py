"""Bootstrap intervals of any statistic of people: whole subjects are drawn, with all comparisons they are part of."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray
from scipy.stats import norm

from models.errors import DataError

Method = Literal["percentile", "bca"]
Statistic = Callable[[Float64[ndarray, "d s"]], Float64[ndarray, " d"]]
"""From how often each subject counts (one row a draw) to the value of each draw."""

_DRAWS_AT_ONCE = 256


class Interval(NamedTuple):
    """An estimate and its interval at `level`, from `subjects` people."""

    low: float
    value: float
    high: float
    level: float
    subjects: int


def subject_interval(
    statistic: Statistic,
    subjects: int,
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
    method: Method = "percentile",
) -> Interval:
    """Interval of a statistic under drawing `subjects` people with replacement. Efron 1979; BCa: Efron 1987.

    `bca` corrects the percentiles for bias and skewness, the latter by leaving each subject out once; where that shows
    no spread, or the value is an end of what was drawn, it is the percentile interval. A statistic that some draw does
    not have is NaN there; such draws are left out while they are few (a tenth). Raises `DataError` otherwise.
    """
    require_interval(subjects, level, draws)
    value = float(statistic(np.ones((1, subjects)))[0])
    drawn = np.concatenate([statistic(counts) for counts in _draws(subjects, draws, seed)])
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(known) < 0.9 * draws:
        raise DataError(f"the statistic of {subjects} people is unknown in {draws - len(known)} of {draws} draws")
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        ends = _corrected(ends, value, known, _left_out(statistic, subjects))
    low, high = np.quantile(known, ends)
    return Interval(float(low), value, float(high), level, subjects)


def require_interval(subjects: int, level: float, draws: int) -> None:
    """Raise `DataError` unless an interval can be drawn at all."""
    if subjects < 1 or not 0 < level < 1 or draws < 100:
        raise DataError(
            f"interval at level {level} from {draws} draws of {subjects} people: one person or more, "
            "level in (0, 1), 100 draws or more"
        )


def _draws(subjects: int, draws: int, seed: int) -> Iterator[Float64[ndarray, "d s"]]:
    generator = np.random.default_rng(seed)
    chances = np.full(subjects, 1 / subjects)
    for start in range(0, draws, _DRAWS_AT_ONCE):
        some = min(_DRAWS_AT_ONCE, draws - start)
        yield generator.multinomial(subjects, chances, size=some).astype(np.float64)


def _left_out(statistic: Statistic, subjects: int) -> Float64[ndarray, " s"]:
    """The statistic without each subject in turn."""
    return np.concatenate(
        [
            statistic(1.0 - np.eye(subjects)[start : start + _DRAWS_AT_ONCE])
            for start in range(0, subjects, _DRAWS_AT_ONCE)
        ]
    )


def _corrected(
    ends: Float64[ndarray, " 2"], value: float, drawn: Float64[ndarray, " d"], left_out: Float64[ndarray, " s"]
) -> Float64[ndarray, " 2"]:
    """The percentiles of BCa: bias from the share of draws below the value (ties half), acceleration by jackknife."""
    below = (np.count_nonzero(drawn < value) + 0.5 * np.count_nonzero(drawn == value)) / len(drawn)
    deviations = left_out[np.isfinite(left_out)].mean() - left_out[np.isfinite(left_out)]
    spread = float((deviations**2).sum())
    if not 0 < below < 1 or spread == 0:
        return ends
    bias, acceleration = norm.ppf(below), float((deviations**3).sum()) / (6 * spread**1.5)
    shifted = bias + norm.ppf(ends)
    stretch = 1 - acceleration * shifted
    return norm.cdf(bias + shifted / stretch) if (stretch > 0).all() else ends
