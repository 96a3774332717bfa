"""Open-set identification: people who are not enrolled must find nobody. FNIR at FPIR (ISO/IEC 19795-1)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from models.errors import DataError
from models.metrics.identification import rank_of_genuine
from models.metrics.operating_points import threshold_at_fmr


class OpenSet(NamedTuple):
    """Searches of a gallery in which only some people are enrolled.

    `mated` is the distance to the own scan where it is the nearest of all, infinite where another one is nearer (the
    search fails at every threshold); `nonmated` the distance to the nearest scan of people who are not enrolled.
    """

    mated: Float64[ndarray, " n"]
    nonmated: Float64[ndarray, " m"]
    failures: int


class OpenSetPoint(NamedTuple):
    """FNIR at the threshold that returns somebody for a share of at most `fpir` of the non-mated searches."""

    fpir: float
    fnir: float
    distance: float
    mated: int
    nonmated: int


def open_set(
    distances: Float32[ndarray, "g p"] | Float64[ndarray, "g p"],
    gallery_subjects: Sequence[str],
    probe_subjects: Sequence[str],
    enrolled: Sequence[str],
    lost_subjects: Sequence[str] = (),
) -> OpenSet:
    """Searches with the gallery scans of `enrolled` alone; everybody else's probes are non-mated.

    A lost probe of an enrolled person is a failure. Raises `DataError` when nobody is enrolled or nobody is left out.
    """
    people = set(enrolled)
    rows = np.array([subject in people for subject in gallery_subjects], dtype=bool)
    owners = {subject for subject, inside in zip(gallery_subjects, rows, strict=True) if inside}
    mated = np.array([subject in owners for subject in probe_subjects], dtype=bool)
    if not rows.any() or not mated.any() or mated.all():
        raise DataError(f"{len(people)} people enrolled: an open set needs searches of enrolled and of other people")
    small = distances[rows]
    names = [subject for subject, inside in zip(gallery_subjects, rows, strict=True) if inside]
    searched = [subject for subject, inside in zip(probe_subjects, mated, strict=True) if inside]
    ranks = rank_of_genuine(small[:, mated], names, searched)
    nearest = small.min(axis=0).astype(np.float64)
    return OpenSet(
        np.where(ranks == 1, nearest[mated], np.inf),
        nearest[~mated],
        sum(subject in people for subject in lost_subjects),
    )


def fnir_at_fpir(searches: OpenSet, fpir: float) -> OpenSetPoint:
    """FNIR with the threshold set on the non-mated searches themselves, failures to acquire among the misses.

    Raises `TooFewComparisons` when 30 false positives are not to be expected of the non-mated searches.
    """
    threshold = threshold_at_fmr(searches.nonmated, fpir)
    misses = int(np.count_nonzero(searches.mated > threshold.distance)) + searches.failures
    attempts = len(searches.mated) + searches.failures
    return OpenSetPoint(fpir, misses / attempts, threshold.distance, attempts, len(searches.nonmated))
