"""Rank-1 by group, and whether groups differ: slices and differentials, with intervals over people."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from models.errors import DataError
from models.metrics.resampling import Interval, Statistic, subject_interval

UNLABELLED = "not labelled"


class Slice(NamedTuple):
    """One group of probes: how many of how many people, failures to acquire among them, and rank-1.

    `against_rest` is rank-1 of the group less that of all other probes; None where either has a single subject.
    """

    group: str
    probes: int
    subjects: int
    lost: int
    rank1: Interval
    against_rest: Interval | None


class Differential(NamedTuple):
    """What one label (sex, expression, ...) divides the probes into. `level` holds for each single interval.

    `distinct` are the groups whose difference from the rest stays away from zero when all groups' intervals are to
    hold at once (Bonferroni).
    """

    label: str
    slices: tuple[Slice, ...]
    distinct: tuple[str, ...]


def differentials(
    hits: Bool[ndarray, " p"],
    lost: Bool[ndarray, " p"],
    subjects: Sequence[str],
    labels: Mapping[str, Sequence[str]],
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
) -> list[Differential]:
    """One differential for each label; `labels[name][i]` is the group of probe i, empty where it is not known.

    A lost probe is no hit. Labels with a single group are left out. Raises `DataError` on unequal lengths.
    """
    wrong = [name for name, values in labels.items() if len(values) != len(hits)]
    if wrong or not len(hits) == len(lost) == len(subjects):
        raise DataError(f"{len(hits)} hits, {len(lost)} losses, {len(subjects)} subjects, labels {wrong}: one a probe")
    people, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    study = _Study(hits, lost, owner, len(people), seed, level, draws)
    named = {name: np.array([value or UNLABELLED for value in values], dtype=str) for name, values in labels.items()}
    return [study.divided(name, groups) for name, groups in named.items() if len(np.unique(groups)) > 1]


_Sums = tuple[Float64[ndarray, " s"], Float64[ndarray, " s"]]
"""Hits and probes of each subject within a group."""


class _Study(NamedTuple):
    """All probes, their owners as numbers below `people`, and how intervals are drawn."""

    hits: Bool[ndarray, " p"]
    lost: Bool[ndarray, " p"]
    owner: Int64[ndarray, " p"]
    people: int
    seed: int
    level: float
    draws: int

    def divided(self, label: str, groups: ndarray) -> Differential:
        """Every group of one label."""
        named = [str(group) for group in np.unique(groups)]
        slices = tuple(self._slice(group, groups == group) for group in named)
        strict = 1 - (1 - self.level) / len(named)
        apart = [self._gap(groups == group, strict) for group in named]
        distinct = [name for name, gap in zip(named, apart, strict=True) if gap and (gap.low > 0 or gap.high < 0)]
        return Differential(label, slices, tuple(distinct))

    def _slice(self, group: str, inside: Bool[ndarray, " p"]) -> Slice:
        hits, probes = self._sums(inside)
        present = probes > 0
        rank1 = self._interval(lambda times: (times @ hits[present]) / (times @ probes[present]), int(present.sum()))
        lost = int((self.lost & inside).sum())
        return Slice(group, int(inside.sum()), rank1.subjects, lost, rank1, self._gap(inside, self.level))

    def _gap(self, inside: Bool[ndarray, " p"], level: float) -> Interval | None:
        """Rank-1 of a group less that of the rest: one draw of people for both, so who is in both is drawn in both."""
        group, rest = self._sums(inside), self._sums(~inside)
        if min(np.count_nonzero(group[1]), np.count_nonzero(rest[1])) < 2:
            return None

        def gap(times: Float64[ndarray, "d s"]) -> Float64[ndarray, " d"]:
            with np.errstate(invalid="ignore"):  # a draw may miss a small group: NaN, and left out
                return (times @ group[0]) / (times @ group[1]) - (times @ rest[0]) / (times @ rest[1])

        try:
            return self._interval(gap, self.people, level)
        except DataError:  # so few people that a tenth of the draws have none of them: no interval can be told
            return None

    def _sums(self, inside: Bool[ndarray, " p"]) -> _Sums:
        owner, hits = self.owner[inside], self.hits[inside].astype(np.float64)
        probes = np.bincount(owner, minlength=self.people).astype(np.float64)
        return np.bincount(owner, weights=hits, minlength=self.people), probes

    def _interval(self, statistic: Statistic, people: int, level: float | None = None) -> Interval:
        return subject_interval(statistic, people, self.seed, level or self.level, self.draws)
