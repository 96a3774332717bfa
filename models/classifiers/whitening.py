"""Vectors in which what has nothing to do with the answer has the same size in all directions."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64, Shaped
from numpy import ndarray

SMALLEST_SPREAD = 1e-6
"""Numbers that spread less than this over the training inputs say nothing; they enter as zero."""
LEAST_SHARE = 1e-3
"""No number is taken to vary less within a class than this share of its spread over all inputs."""


class Whitener(NamedTuple):
    """`(values - mean) @ transform` have, within a class, the identity as covariance."""

    mean: Float64[ndarray, " k"]
    transform: Float64[ndarray, "k k"]

    def __call__(self, values: Float32[ndarray, "n k"]) -> Float64[ndarray, "n k"]:
        """Whitened values."""
        return (values - self.mean) @ self.transform


def fit_whitener(values: Float32[ndarray, "n k"], answers: Int64[ndarray, " n"]) -> Whitener:
    """Within-class covariance normalisation (Hatch et al., Interspeech 2006) of training inputs and their answers.

    Estimates of one face from several sides err together in many numbers; what they share is taken out. The covariance
    is shrunk as Ledoit and Wolf (2004) do, after each number is brought to its spread within classes, so that few
    inputs of many numbers do no harm; the root is the symmetric one, which leaves each number where it was.
    """
    from sklearn.covariance import ledoit_wolf  # here, since importing it takes a second

    mean, total = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    known = total > SMALLEST_SPREAD
    inside = about_group_means(values[:, known].astype(np.float64), answers)
    spread = np.maximum(inside.std(axis=0), LEAST_SHARE * total[known])
    covariance, _ = ledoit_wolf(inside / spread, assume_centered=True)
    sizes, directions = np.linalg.eigh(covariance)
    sizes = np.maximum(sizes, LEAST_SHARE**2)
    transform = np.zeros((len(mean), len(mean)))
    transform[np.ix_(known, known)] = (directions / np.sqrt(sizes)) @ directions.T / spread[:, None]
    return Whitener(mean, transform)


def about_group_means(values: Shaped[ndarray, "n k"], groups: Shaped[ndarray, " n"]) -> Float64[ndarray, "n k"]:
    """Each row less the mean of the rows of its group."""
    _, owner, counts = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, owner, values)
    return values - (sums / counts[:, None])[owner]
