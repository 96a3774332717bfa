"""Closed-set identification: distances, the rank at which the genuine subject comes, rank-k and the CMC curve."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from models.errors import DataError
from models.metrics.search import Features, SearchResult, fused_search, require_comparable, stream_search

__all__ = [
    "SearchResult",
    "cmc",
    "euclidean_distances",
    "fused_distances",
    "fused_search",
    "mean_of_three",
    "rank_k",
    "rank_of_genuine",
    "stream_search",
]

# Below this share of |g|^2 + |p|^2 the float32 difference has lost its digits.
_CANCELLED = 1e-3
_PAIRS_AT_ONCE = 4096


def euclidean_distances(gallery: Float32[ndarray, "g d"], probe: Float32[ndarray, "p d"]) -> Float32[ndarray, "g p"]:
    """Distance of every gallery row to every probe row (equations 12-14), relative error about 1e-4 or better.

    One matrix product; pairs so near that the product cancels are measured anew in float64.
    """
    gallery_squares = np.einsum("gd,gd->g", gallery, gallery)
    probe_squares = np.einsum("pd,pd->p", probe, probe)
    squares = gallery @ probe.T
    squares *= np.float32(-2.0)
    squares += gallery_squares[:, None]
    squares += probe_squares[None, :]
    scale = np.float32(_CANCELLED * 0.5) * (gallery_squares.max(initial=0) + probe_squares.max(initial=0))
    rows, columns = np.nonzero(squares < scale)
    for start in range(0, len(rows), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        difference = gallery[rows[some]].astype(np.float64) - probe[columns[some]]
        squares[rows[some], columns[some]] = np.einsum("nd,nd->n", difference, difference)
    return np.sqrt(squares, out=squares)


def fused_distances(gallery: Features, probe: Features) -> Float32[ndarray, "g p"]:
    """Equation 15 for every pair: the mean of the three axes' distances. Raises `DataError` on unequal shapes."""
    require_comparable(gallery, probe)
    x, y, z = (euclidean_distances(g, p) for g, p in zip(gallery, probe, strict=True))
    return mean_of_three(x, y, z)


def mean_of_three(
    x: Float32[ndarray, "g p"], y: Float32[ndarray, "g p"], z: Float32[ndarray, "g p"]
) -> Float32[ndarray, "g p"]:
    """The score of equation 15."""
    total = x + y
    total += z
    total /= np.float32(3.0)
    return total


def rank_of_genuine(
    distances: Float32[ndarray, "g p"] | Float64[ndarray, "g p"],
    gallery_labels: Sequence[str],
    probe_labels: Sequence[str],
) -> Int64[ndarray, " p"]:
    """The place (from 1) of each probe's own subject among the gallery's subjects, each by its nearest scan.

    Of two subjects at one distance the one with the lower gallery row comes first, as in `fused_search`.
    Raises `DataError` when labels and distances do not match or a probe's subject is not enrolled (closed set).
    """
    if distances.shape != (len(gallery_labels), len(probe_labels)):
        expected = f"{len(gallery_labels)} gallery and {len(probe_labels)} probe labels"
        raise DataError(f"distances of shape {distances.shape} for {expected}: give one label a scan")
    if not np.isfinite(distances).all():
        raise DataError("distances hold values that are not finite: count such probes as failures to acquire")
    subjects, owner = np.unique(np.asarray(gallery_labels, dtype=str), return_inverse=True)
    own = _positions(subjects, probe_labels)
    nearest, first_row = _nearest_scan_of_each(distances, owner, len(subjects))
    columns = np.arange(len(probe_labels))
    genuine, genuine_row = nearest[own, columns], first_row[own, columns]
    before = (nearest < genuine) | ((nearest == genuine) & (first_row < genuine_row))
    return 1 + np.count_nonzero(before, axis=0).astype(np.int64)


def _positions(subjects: ndarray, labels: Sequence[str]) -> Int64[ndarray, " p"]:
    """Place of each label among the sorted `subjects`."""
    wanted = np.asarray(labels, dtype=str)
    places = np.minimum(np.searchsorted(subjects, wanted), len(subjects) - 1).astype(np.int64)
    missing = wanted[subjects[places] != wanted]
    if len(missing):
        raise DataError(f"{len(missing)} probes have no gallery scan, such as {missing[0]}: exclude or enrol them")
    return places


def _nearest_scan_of_each(distances: ndarray, owner: ndarray, subjects: int) -> tuple[ndarray, Int64[ndarray, "s p"]]:
    """Per subject and probe: the smallest distance, and the first gallery row that has it."""
    nearest = np.empty((subjects, distances.shape[1]), distances.dtype)
    row = np.empty((subjects, distances.shape[1]), np.int64)
    order = np.argsort(owner, kind="stable")
    for subject, rows in enumerate(np.split(order, np.cumsum(np.bincount(owner, minlength=subjects))[:-1])):
        own = distances[rows]
        place = own.argmin(axis=0)
        nearest[subject] = np.take_along_axis(own, place[None], axis=0)[0]
        row[subject] = rows[place]
    return nearest, row


def rank_k(ranks: Int64[ndarray, " p"], k: int = 1, failures: int = 0) -> float:
    """Share of probes whose subject is among the first `k`. `failures` to acquire count as probes that are missed.

    Raises `DataError` without any probe.
    """
    return float(cmc(ranks, k, failures)[-1])


def cmc(ranks: Int64[ndarray, " p"], max_rank: int, failures: int = 0) -> Float64[ndarray, " k"]:
    """Cumulative match characteristic at ranks 1 to `max_rank`; `failures` to acquire count as misses at every rank.

    Raises `DataError` without any probe, for ranks below 1, or for a `max_rank` or `failures` that make no sense.
    """
    total = len(ranks) + failures
    if total == 0 or failures < 0 or max_rank < 1 or bool((ranks < 1).any()):
        raise DataError(f"no CMC for {len(ranks)} ranks (from 1), {failures} failures and max_rank {max_rank}")
    counts = np.bincount(ranks[ranks <= max_rank], minlength=max_rank + 1)[1:]
    return np.cumsum(counts) / total
