"""The compiled inner loop of the fused search: what follows the three matrix products of a block.

Every pair first gets a lower bound of its distance sum from the float32 products; only pairs whose bound does not
exceed the best sum so far are measured in float64. The bound accounts for all rounding, so the result is that of an
exhaustive float64 search while nearly every pair costs three float32 square roots.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_ZERO = np.float32(0.0)
_TWO = np.float32(2.0)
_LARGEST = np.float32(3.4e38)
# Three square roots and two sums in float32 are off by less than this share of the sum.
_SLACK = 4e-6
STRIP = 128
"""Scans that share one minimum: what cannot win is passed over a strip at a time."""


@no_type_check
@njit(cache=True, nogil=True, fastmath=True)
def _lower_bounds(product_x, product_y, product_z, norm_x, norm_y, norm_z, probe_x, probe_y, probe_z, lower):
    """Fill `lower` with one probe's distance sums to a strip of the gallery, from below; return the smallest."""
    for j in range(lower.shape[0]):
        square_x = norm_x[j] + probe_x - _TWO * product_x[j]
        square_y = norm_y[j] + probe_y - _TWO * product_y[j]
        square_z = norm_z[j] + probe_z - _TWO * product_z[j]
        # `max` keeps NaN rules that stop the loop from being vectorised; these selects do not
        square_x = square_x if square_x > _ZERO else _ZERO
        square_y = square_y if square_y > _ZERO else _ZERO
        square_z = square_z if square_z > _ZERO else _ZERO
        lower[j] = np.sqrt(square_x) + np.sqrt(square_y) + np.sqrt(square_z)
    smallest = _LARGEST
    for j in range(lower.shape[0]):
        smallest = lower[j] if lower[j] < smallest else smallest
    return smallest


@no_type_check
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _distance(first, second):
    """Euclidean distance in float64; the order of the sum depends on the length alone, so equal rows tie exactly."""
    total = 0.0
    for k in range(first.shape[0]):
        difference = np.float64(first[k]) - np.float64(second[k])
        total += difference * difference
    return np.sqrt(total)


@no_type_check
@njit(cache=True, nogil=True)
def _most_promising(lower, strips, smallest):
    """The first scan whose bound is the smallest of all."""
    strip = 0
    while strips[strip] > smallest:
        strip += 1
    j = strip * STRIP
    while lower[j] > smallest:
        j += 1
    return j


@no_type_check
@njit(cache=True, nogil=True)
def _measure(gallery, probe, i, j, offset, best_index, best_sum):
    """Let scan `j` of the block try to become the nearest of probe `i`."""
    total = _distance(gallery[0][j], probe[0][i])
    total += _distance(gallery[1][j], probe[1][i])
    total += _distance(gallery[2][j], probe[2][i])
    if total < best_sum[i] or (total == best_sum[i] and offset + j < best_index[i]):
        best_sum[i] = total
        best_index[i] = offset + j


@no_type_check
@njit(cache=True, nogil=True)
def improve_best(products, gallery_norms, probe_norms, gallery, probe, offset, best_index, best_sum):
    """Update each probe's nearest scan and distance sum with one block of the gallery that starts at `offset`.

    Arguments in triples, one an axis: products "p g", squared norms of the gallery "g" and of the probes "p" (the
    latter already lowered by the rounding bound), the vectors themselves. `best_index`, `best_sum` change in place.
    """
    count = gallery[0].shape[0]
    lower = np.empty(count, np.float32)
    strips = np.empty(-(-count // STRIP), np.float32)
    for i in range(probe[0].shape[0]):
        for strip in range(strips.shape[0]):
            some = slice(strip * STRIP, min(count, strip * STRIP + STRIP))
            strips[strip] = _lower_bounds(
                products[0][i, some],
                products[1][i, some],
                products[2][i, some],
                gallery_norms[0][some],
                gallery_norms[1][some],
                gallery_norms[2][some],
                probe_norms[0][i],
                probe_norms[1][i],
                probe_norms[2][i],
                lower[some],
            )
        smallest = strips.min()
        if smallest > best_sum[i] * (1.0 + _SLACK):
            continue
        # the most promising scan goes first: it shortens the list of those worth measuring
        first = _most_promising(lower, strips, smallest)
        _measure(gallery, probe, i, first, offset, best_index, best_sum)
        lower[first] = _LARGEST
        for strip in range(strips.shape[0]):
            if strips[strip] > best_sum[i] * (1.0 + _SLACK):
                continue
            for j in range(strip * STRIP, min(count, strip * STRIP + STRIP)):
                if lower[j] <= best_sum[i] * (1.0 + _SLACK):
                    _measure(gallery, probe, i, j, offset, best_index, best_sum)
