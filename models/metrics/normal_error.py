"""How far the normals of reconstructed faces are from the true ones: two sets of normal images behind one mask."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from numpy import ndarray

from models.errors import DataError
from models.metrics.mesh_error import normal_error_deg
from models.types import NormalImages


class NormalSetError(NamedTuple):
    """Angles in degrees. `per_image_deg` is the mean over each image's cells (NaN for one that shares none).

    `mean_deg` is their mean, `coverage` the share of the truth's cells behind the mask that the estimates have too, and
    `empty` how many images share no cell with the truth.
    """

    mean_deg: float
    coverage: float
    empty: int
    per_image_deg: Float64[ndarray, " n"]


def normal_set_error(
    estimates: Iterable[NormalImages], truths: Iterable[NormalImages], mask: Bool[ndarray, "h w"]
) -> NormalSetError:
    """Mean angle between two sets of normal images, pair by pair, where both are valid behind `mask`; streamed.

    Every image counts the same, however many cells it has. Raises `DataError` when the sets differ in number, or no
    pair has a cell in common.
    """
    means: list[float] = []
    wanted, shared = 0, 0
    for estimate, truth in _pairs(estimates, truths):
        true_cells = truth.valid & mask
        both = true_cells & estimate.valid
        wanted, shared = wanted + int(true_cells.sum()), shared + int(both.sum())
        means.append(float(normal_error_deg(estimate.normals, truth.normals, both).mean()) if both.any() else np.nan)
    per_image = np.array(means, dtype=np.float64)
    empty = int(np.isnan(per_image).sum())
    if empty == len(per_image):
        raise DataError(f"none of {len(per_image)} pairs of normal images has a cell in common behind the mask")
    return NormalSetError(float(np.nanmean(per_image)), shared / wanted, empty, per_image)


def _pairs(
    estimates: Iterable[NormalImages], truths: Iterable[NormalImages]
) -> Iterable[tuple[NormalImages, NormalImages]]:
    first, second = iter(estimates), iter(truths)
    while True:
        estimate, truth = next(first, None), next(second, None)
        if estimate is None and truth is None:
            return
        if estimate is None or truth is None:
            raise DataError("the two sets of normal images differ in number: pair every estimate with its truth")
        yield estimate, truth
