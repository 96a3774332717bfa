"""How rank-1 falls as the gallery grows: the mean over all galleries of each size, with intervals over people."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy.special import gammaln

from models.errors import DataError
from models.metrics.intervals import mean_interval


class GalleryPoint(NamedTuple):
    """Rank-1 with `size` people enrolled, and its interval over subjects."""

    size: int
    rank1: float
    low: float
    high: float


def gallery_curve(
    ranks: Int64[ndarray, " p"],
    subjects: Sequence[str],
    people: int,
    sizes: Sequence[int],
    seed: int,
    lost_subjects: Sequence[str] = (),
) -> list[GalleryPoint]:
    """Expected rank-1 in random galleries of `sizes` of the `people` enrolled, the probe's own subject always in.

    A probe of rank r stays first when none of the r - 1 people before it is drawn: the mean over every sub-gallery has
    a closed form (hypergeometric), so only the people, not the galleries, are a source of chance. Raises `DataError`
    on sizes outside 1 to `people`, or ranks beyond it.
    """
    if any(not 1 <= size <= people for size in sizes) or bool((ranks > people).any()):
        raise DataError(f"gallery sizes {list(sizes)} of {people} people: choose from 1 to {people}")
    owners = [*subjects, *lost_subjects]
    points: list[GalleryPoint] = []
    for size in sizes:
        kept = np.concatenate([chance_of_staying_first(ranks, people, size), np.zeros(len(lost_subjects))])
        found = mean_interval(kept, owners, seed)
        points.append(GalleryPoint(size, found.value, found.low, found.high))
    return points


def chance_of_staying_first(ranks: Int64[ndarray, " p"], people: int, size: int) -> Float64[ndarray, " p"]:
    """Share of the galleries of `size` with the own subject in them that hold none of the rank - 1 people before it."""
    drawn, after = size - 1, (people - ranks).astype(np.float64)
    possible = after >= drawn
    log_chance = _log_choose(np.where(possible, after, drawn), drawn) - _log_choose(
        np.full(len(ranks), people - 1.0), drawn
    )
    return np.where(possible, np.minimum(np.exp(log_chance), 1.0), 0.0)


def round_sizes(people: int, points: int = 8) -> list[int]:
    """Gallery sizes from 2 to `people`, about evenly spaced by ratio."""
    return sorted({int(size) for size in np.geomspace(min(2, people), people, points).round()})


def _log_choose(total: Float64[ndarray, " p"], chosen: int) -> Float64[ndarray, " p"]:
    return gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)
