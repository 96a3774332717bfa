"""What each part of a method adds: rank-1 of every axis and their fusion with intervals, and paired differences."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from models.errors import DataError
from models.metrics.benchmark import Searched
from models.metrics.intervals import rank1_interval
from models.metrics.paired import Paired, compare_models
from models.metrics.resampling import Interval

CHANNELS = ("x", "y", "z", "fused")
"""The three axes, and the mean of their distances (equation 15)."""


class Hits(NamedTuple):
    """Which probes each channel identified, those that could not be searched as misses at the end."""

    channels: Mapping[str, Bool[ndarray, " p"]]
    subjects: list[str]


class Side(NamedTuple):
    """One side of a comparison: a trained variant, and which of its channels decides."""

    variant: str
    channel: str

    def __str__(self) -> str:
        return f"{self.variant}.{self.channel}"


class Contrast(NamedTuple):
    """Two sides to be compared on the same probes; the first is expected to win."""

    first: Side
    second: Side

    def __str__(self) -> str:
        return f"{self.first} - {self.second}"


def hits_of(searched: Searched) -> Hits:
    """Rank-1 hits of each of `CHANNELS`."""
    distances = dict(zip(CHANNELS, (*searched.axes, searched.fused), strict=True))
    lost = np.zeros(len(searched.part.lost_subjects), dtype=bool)
    channels = {name: np.concatenate([searched.ranks(each) == 1, lost]) for name, each in distances.items()}
    return Hits(channels, [*searched.part.probe_subjects, *searched.part.lost_subjects])


def rank1_of(hits: Hits, seed: int) -> dict[str, Interval]:
    """Rank-1 of each channel with its 95 % interval over subjects."""
    return {name: rank1_interval(found, hits.subjects, seed) for name, found in hits.channels.items()}


def contrast(known: Mapping[str, Hits], asked: Contrast, seed: int) -> Paired:
    """The difference of two sides in rank-1. Raises `DataError` when they were not asked about the same probes."""
    first, second = known[asked.first.variant], known[asked.second.variant]
    if first.subjects != second.subjects:
        raise DataError(f"{asked}: the two were scored on other probes: score both under one protocol")
    sides = first.channels[asked.first.channel], second.channels[asked.second.channel]
    return compare_models(*sides, first.subjects, seed)
