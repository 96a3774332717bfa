"""Facts of normal component images as they are stored: bytes, 0 where there is no surface."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from numpy import ndarray

LENGTH_TOLERANCE = 0.012
"""Rounding to bytes moves a component by at most 1/255, or 1/128 where -1 becomes the lowest byte: |n| by < 0.01."""


class NormalFacts(NamedTuple):
    """One value an image. `length_error` is the largest deviation of |n| from 1 over pixels with a surface (1 where
    none has one), `valid_share` their share of all pixels, `torn` the pixels where only some of the three
    components are there. `mean_z`, `lowest` and `highest` are over those pixels, -1 to 1 (0 where there is none).
    """

    length_error: Float64[ndarray, " n"]
    valid_share: Float64[ndarray, " n"]
    torn: Int64[ndarray, " n"]
    mean_z: Float64[ndarray, " n"]
    lowest: Float64[ndarray, " n"]
    highest: Float64[ndarray, " n"]


def normal_facts(planes: UInt8[ndarray, "n 3 h w"]) -> NormalFacts:
    """Facts of images of `encode_normals`: a component n is stored as 127.5 (n + 1)."""
    there = planes > 0
    valid = np.asarray(there.all(axis=1))
    counts = valid.sum(axis=(1, 2))
    some = counts > 0
    components = planes.astype(np.float32) / np.float32(127.5) - np.float32(1)
    lengths = np.sqrt(np.einsum("nkhw,nkhw->nhw", components, components))
    error = np.where(valid, np.abs(lengths - 1), 0).max(axis=(1, 2), initial=0)
    mean_z = np.where(valid, components[:, 2], 0).sum(axis=(1, 2), dtype=np.float64) / np.maximum(counts, 1)
    lowest = np.where(valid[:, None], components, 1).min(axis=(1, 2, 3), initial=1)
    highest = np.where(valid[:, None], components, -1).max(axis=(1, 2, 3), initial=-1)
    return NormalFacts(
        np.where(some, error, 1).astype(np.float64),
        counts / max(valid[0].size, 1) if len(planes) else np.zeros(0),
        (there.any(axis=1) & ~valid).sum(axis=(1, 2)),
        mean_z,
        np.where(some, lowest, 0).astype(np.float64),
        np.where(some, highest, 0).astype(np.float64),
    )
