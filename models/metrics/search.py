"""Closed-set search by the fused score of paper A: the mean of three Euclidean distances (equations 12-15)."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from models.errors import DataError
from models.metrics.search_kernel import improve_best

Features = tuple[Float32[ndarray, "_ _"], Float32[ndarray, "_ _"], Float32[ndarray, "_ _"]]
"""One row a scan, one array an axis (x, y, z): equations 9-11."""

_PROBES_AT_ONCE = 1024
_UNIT_ROUNDOFF = 2.0**-24
_LARGEST_SQUARE = 1e37


class SearchResult(NamedTuple):
    """Per probe: the row of the nearest gallery scan, and the mean distance to it."""

    best_index: Int64[ndarray, " p"]
    best_distance: Float64[ndarray, " p"]


class _Workspace(NamedTuple):
    """What one search reuses for every block."""

    products: tuple[Float32[ndarray, " qb"], Float32[ndarray, " qb"], Float32[ndarray, " qb"]]
    pool: ThreadPoolExecutor
    threads: int


def fused_search(gallery: Features, probe: Features, block: int = 1024) -> SearchResult:
    """Nearest gallery scan of every probe: argmin over the gallery of (dx + dy + dz) / 3, equations 12-15.

    The gallery may be a memory map of any length; it is read `block` scans at a time. See `stream_search`.
    """
    require_comparable(gallery, probe)
    x, y, z = gallery
    return stream_search(((x[rows], y[rows], z[rows]) for rows in _slices(0, len(x), block)), probe, block)


def stream_search(gallery: Iterable[Features], probe: Features, block: int = 1024) -> SearchResult:
    """As `fused_search`, of a gallery that comes in parts (of a file, a database, a socket) and is read once.

    The indices count through all parts and are those of an exhaustive float64 search (float32 products only exclude
    scans that provably cannot win); equal distances go to the lowest index. Beside the probes and one part it holds
    three products of at most 1024 probes by `block` gallery scans, however long the gallery is.
    Raises `DataError` on an empty gallery, unequal counts or lengths, values that are not finite or above 1e18.
    """
    searched = tuple(np.ascontiguousarray(array) for array in probe)
    squares = tuple(_squared_norms(array, "probe") for array in searched)
    probes = len(searched[0])
    best_index, best_sum = np.zeros(probes, np.int64), np.full(probes, np.inf)
    threads = os.cpu_count() or 1
    start = 0
    with ThreadPoolExecutor(threads) as pool:
        workspace = _Workspace(_products(min(_PROBES_AT_ONCE, probes) * block), pool, threads)
        for part, norms in _blocks(gallery, probe, block):
            for rows in _slices(0, probes, _PROBES_AT_ONCE):
                chunk = tuple(array[rows] for array in searched)
                lowered = tuple(map(_lowered, (square[rows] for square in squares), norms, chunk))
                _search_block(workspace, (part, norms, start), (chunk, lowered), best_index[rows], best_sum[rows])
            start += len(part[0])
    if start == 0:
        raise DataError("the gallery is empty: enrol at least one scan")
    return SearchResult(best_index, best_sum / 3)


def _products(size: int) -> tuple[Float32[ndarray, " qb"], Float32[ndarray, " qb"], Float32[ndarray, " qb"]]:
    return np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)


def _blocks(
    gallery: Iterable[Features], probe: Features, block: int
) -> Iterator[tuple[tuple[ndarray, ...], tuple[ndarray, ...]]]:
    """Contiguous parts of at most `block` scans, and the squared norms of each axis."""
    for given in gallery:
        require_comparable(given, probe)
        for rows in _slices(0, len(given[0]), block):
            part = tuple(np.ascontiguousarray(array[rows]) for array in given)
            yield part, tuple(_squared_norms(array, "gallery") for array in part)


def _search_block(  # numba's view of the arrays is checked in `fused_search`
    workspace: _Workspace,
    gallery: tuple[tuple[ndarray, ...], tuple[ndarray, ...], int],
    probe: tuple[tuple[ndarray, ...], tuple[ndarray, ...]],
    best_index: Int64[ndarray, " q"],
    best_sum: Float64[ndarray, " q"],
) -> None:
    """One block of the gallery against one of probes: three products, then the compiled loop on every core.

    Threads of Python, not numba's own: those abort the process when two Python threads enter at once.
    """
    part, norms, start = gallery
    chunk, lowered = probe
    count = len(best_sum)
    products = tuple(
        np.matmul(mine, theirs.T, out=out[: count * len(theirs)].reshape(count, len(theirs)))
        for mine, theirs, out in zip(chunk, part, workspace.products, strict=True)
    )

    def improve(rows: slice) -> None:
        mine, theirs, bounds = (tuple(a[rows] for a in arrays) for arrays in (products, chunk, lowered))
        improve_best(mine, norms, bounds, part, theirs, start, best_index[rows], best_sum[rows])

    share = -(-count // workspace.threads)
    for _ in workspace.pool.map(improve, _slices(0, count, share)):
        pass


def require_comparable(gallery: Features, probe: Features) -> None:
    """Raise `DataError` unless the three arrays of each side agree in rows and both sides in columns."""
    for side, arrays in (("gallery", gallery), ("probe", probe)):
        if len({len(array) for array in arrays}) != 1:
            raise DataError(f"{side}: the three axes hold {[len(a) for a in arrays]} scans: embed every scan thrice")
    if len(gallery[0]) == 0:
        raise DataError("the gallery is empty: enrol at least one scan")
    lengths = [array.shape[1] for array in gallery], [array.shape[1] for array in probe]
    if lengths[0] != lengths[1]:
        raise DataError(f"feature lengths differ, gallery {lengths[0]} and probe {lengths[1]}: use one model for both")


def _squared_norms(vectors: Float32[ndarray, "n d"], side: str) -> Float32[ndarray, " n"]:
    """Squared length of each row; raises `DataError` where float32 products could overflow or be NaN."""
    squares = np.einsum("nd,nd->n", vectors, vectors)
    if not (squares < _LARGEST_SQUARE).all():
        raise DataError(f"{side}: features are not finite or above 1e18: look at the model that made them")
    return squares


def _lowered(
    probe: Float32[ndarray, " q"], gallery: Float32[ndarray, " b"], vectors: Float32[ndarray, "q d"]
) -> Float32[ndarray, " q"]:
    """Probe norms minus the largest rounding error of |g|^2 + |p|^2 - 2 g.p in float32 within this block.

    A product of d terms summed in any order is off by at most d u / (1 - d u) |g| |p| (Higham 2002, equation 3.5),
    once for 2 g.p and once for the norms; sixteen more roundings cover the three-term sum, the constant underflow.
    """
    terms = 2 * vectors.shape[1] + 16
    share = terms * _UNIT_ROUNDOFF / (1 - terms * _UNIT_ROUNDOFF)
    exact = probe.astype(np.float64)
    return (exact - share * (exact + float(gallery.max())) - 1e-30).astype(np.float32)


def _slices(start: int, stop: int, step: int) -> Iterator[slice]:
    return (slice(first, min(first + step, stop)) for first in range(start, stop, step))
