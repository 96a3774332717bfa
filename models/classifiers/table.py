"""Coefficients of many photos, and the vectors that classifiers are given: one for each set of photos of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from models.classifiers.source import Source
from models.classifiers.whitening import about_group_means
from models.errors import ConfigurationError
from models.networks.cnet import confident_mean

PARTS = ("identity", "expression", "texture")
"""What of a reconstruction a classifier may see; light and pose are no part of the face."""


class Pooled(NamedTuple):
    """One vector for each set of which a photo gave a face; `kept` says which sets these are."""

    values: Float32[ndarray, "m k"]
    kept: Int64[ndarray, " m"]


@dataclass(frozen=True, eq=False)
class CoefficientTable:
    """A row a photo that gave a face. `parts` hold numbers by `PARTS`; `confidence` is C-Net's, where there is one."""

    source: Source
    paths: tuple[str, ...]
    parts: Mapping[str, Float32[ndarray, "n k"]]
    confidence: Float32[ndarray, "n a"] | None = None

    def part(self, name: str) -> Float32[ndarray, "n k"]:
        """Numbers of one part; raises `ConfigurationError` when the reconstructor does not give it."""
        found = self.parts.get(name)
        if found is None or found.shape[1] == 0:
            raise ConfigurationError(
                f"coefficients of {self.source.reconstructor!r} hold no {name}: choose another reconstructor or input"
            )
        return found

    def rows(self, photos: Sequence[str]) -> list[int]:
        """Places of those of `photos` that gave a face."""
        return [self._places[photo] for photo in photos if photo in self._places]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {path: number for number, path in enumerate(self.paths)}


def pooled(table: CoefficientTable, sets: Sequence[Sequence[str]], parts: Sequence[str], confident: bool) -> Pooled:
    """The `parts` side by side, each pooled over the photos of a set (paper B, 3.2 and 4.1).

    Identities are weighted by C-Net's confidences if `confident`, else and for all other parts it is the plain mean.
    Photos without a face do not take part. Raises `ConfigurationError` where a part or the confidences are missing.
    """
    if confident and table.confidence is None:
        raise ConfigurationError(f"coefficients of {table.source.reconstructor!r} come without C-Net's confidences")
    found = [table.rows(photos) for photos in sets]
    kept = np.array([number for number, rows in enumerate(found) if rows], dtype=np.int64)
    columns: list[ndarray] = []
    for name in parts:
        weights = table.confidence if confident and name == "identity" else None
        columns.append(_means(table.part(name), [found[int(number)] for number in kept], weights))
    return Pooled(np.concatenate(columns, axis=1), kept)


def _means(
    values: Float32[ndarray, "n k"], sets: Sequence[Sequence[int]], weights: Float32[ndarray, "n k"] | None
) -> Float32[ndarray, "m k"]:
    """Weighted means of rows, sets of equal size at once."""
    means = np.zeros((len(sets), values.shape[1]), dtype=np.float32)
    sizes = np.array([len(rows) for rows in sets], dtype=np.int64)
    for size in np.unique(sizes):
        here = np.flatnonzero(sizes == size)
        rows = np.array([sets[int(number)] for number in here])
        trust = torch.ones((len(here), int(size), 1)) if weights is None else torch.from_numpy(weights[rows])
        means[here] = confident_mean(torch.from_numpy(values[rows]), trust.expand(-1, -1, values.shape[1])).numpy()
    return means


def within_scatter(values: Float32[ndarray, "n k"], groups: Sequence[str]) -> Float32[ndarray, " k"]:
    """Standard deviation of each number over the rows of one group about the group's mean, pooled over groups.

    With groups of photos of one face it is the error of the reconstructor, but for what all photos of a face share.
    Groups of one row say nothing; zero when there are no others.
    """
    deviations, free = _deviations(values, groups)
    return np.sqrt((deviations**2).sum(axis=0) / free).astype(np.float32)


def within_covariance(values: Float32[ndarray, "n k"], groups: Sequence[str]) -> Float64[ndarray, "k k"]:
    """How far, and how much together, numbers scatter within groups; see `within_scatter`, whose squares it holds."""
    deviations, free = _deviations(values, groups)
    return deviations.T @ deviations / free


def _deviations(values: Float32[ndarray, "n k"], groups: Sequence[str]) -> tuple[Float64[ndarray, "n k"], int]:
    """Rows less their group's mean, and how many of them can be chosen freely (at least one)."""
    free = len(values) - len(set(groups))
    return about_group_means(values, np.asarray(groups, dtype=str)), max(free, 1)
