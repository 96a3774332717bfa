"""Maximum mean discrepancy: do two collections of vectors come from one distribution, as far as a kernel can see?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from numpy import ndarray
from scipy.spatial.distance import cdist

from models.errors import DataError
from models.metrics.people import membership, require_rows


class Discrepancy(NamedTuple):
    """`mmd2` is the squared discrepancy (unbiased, so it may be below 0), `p` how often chance gives as much.

    `bandwidth` is that of the Gaussian kernel, in the unit of the rows.
    """

    mmd2: float
    p: float
    bandwidth: float


def mmd_test(
    first: Float64[ndarray, "n d"],
    first_subjects: Sequence[str | None],
    second: Float64[ndarray, "m d"],
    second_subjects: Sequence[str | None],
    seed: int,
    permutations: int = 999,
) -> Discrepancy:
    """Gretton et al. 2012 (equation 3), with people in place of rows and a Gaussian kernel of median width.

    Rows of one person resemble each other, so that shuffling rows would see drift wherever there are other people:
    whole people change sides. Needs two on each; raises `DataError` otherwise, and on unequal or infinite input.
    """
    require_rows(first, first_subjects)
    require_rows(second, second_subjects)
    sides = [membership(subjects) for subjects in (first_subjects, second_subjects)]
    if min(len(side) for side in sides) < 2:
        raise DataError("drift needs two people on each side: wait for more data")
    rows = np.concatenate([first, second])
    kernel, bandwidth = gaussian_kernel(rows)
    people = _people_kernel(kernel, sides[0], sides[1])
    before = np.arange(len(people)) < len(sides[0])
    observed = float(mmd2(people, before[None])[0])
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(before, (permutations, 1)), axis=1)
    # sums in another order must not make an equal value a smaller one
    as_much = int((mmd2(people, shuffled) >= observed - 1e-12 * np.abs(people).max()).sum())
    return Discrepancy(observed, (1 + as_much) / (1 + permutations), bandwidth)


def gaussian_kernel(rows: Float64[ndarray, "n d"]) -> tuple[Float64[ndarray, "n n"], float]:
    """exp(-|a - b|^2 / 2h^2) of all pairs; h is the median distance of different rows (1 where all are alike)."""
    squared = cdist(rows, rows, "sqeuclidean")
    apart = squared[np.triu_indices(len(rows), 1)]
    bandwidth = float(np.sqrt(np.median(apart[apart > 0]))) if (apart > 0).any() else 1.0
    return np.exp(-squared / (2 * bandwidth**2)), bandwidth


def mmd2(kernel: Float64[ndarray, "c c"], first: Bool[ndarray, "b c"]) -> Float64[ndarray, " b"]:
    """The unbiased squared discrepancy of each division of c people in two; `first` marks one side."""
    apart = kernel - np.diag(np.diag(kernel))
    one, other = first.astype(np.float64), (~first).astype(np.float64)
    m, n = one.sum(axis=1), other.sum(axis=1)
    ones, others = one @ apart, other @ apart
    within = (ones * one).sum(axis=1) / (m * (m - 1)) + (others * other).sum(axis=1) / (n * (n - 1))
    return within - 2 * (ones * other).sum(axis=1) / (m * n)


def _people_kernel(
    kernel: Float64[ndarray, "n n"], first: Float64[ndarray, "a k"], second: Float64[ndarray, "b l"]
) -> Float64[ndarray, "c c"]:
    """The mean over all pairs of rows of two people. Somebody on both sides is a person on each."""
    averaging = np.zeros((len(first) + len(second), len(kernel)))
    averaging[: len(first), : first.shape[1]] = first
    averaging[len(first) :, first.shape[1] :] = second
    return averaging @ kernel @ averaging.T
