"""Weighted principal components whose coefficients have unit deviation."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Components(NamedTuple):
    """Basis (k, m, 3), coefficients of the samples (N, k) and the share of weighted variance of each component."""

    basis: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    share: NDArray[np.float64]


def principal_components(samples: NDArray[np.float32], weights: NDArray[np.floating], count: int) -> Components:
    """Components of displacements (N, m, 3), the metric of which is `weights` (m,); the caller has centred them.

    The Gram matrix is decomposed, so a component's coefficients come out scaled to unit root mean square, and the
    basis is the samples' regression on them: all vertices follow, the weighted ones decide.
    """
    number = len(samples)
    weighted = (samples * np.sqrt(weights, dtype=np.float32)[None, :, None]).reshape(number, -1)
    values, vectors = np.linalg.eigh((weighted @ weighted.T).astype(np.float64))
    order = np.argsort(values)[::-1][:count]
    coefficients = vectors[:, order] * np.sqrt(number)
    basis = (coefficients.T.astype(np.float32) @ samples.reshape(number, -1)) / number
    share = values[order] / values.clip(min=0).sum()
    signs = np.sign(basis[np.arange(len(order)), np.abs(basis).argmax(axis=1)])
    basis *= signs[:, None]
    return Components(basis.reshape(len(order), -1, 3), (coefficients * signs).astype(np.float32), share)


def shares(basis: NDArray[np.float32], samples: NDArray[np.float32], face: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each component's share of the samples' plain variance over the face; coefficients have unit deviation."""
    total = float(np.mean([np.square(sample[face], dtype=np.float64).sum() for sample in samples]))
    return np.square(basis[:, face], dtype=np.float64).sum(axis=(1, 2)) / total


def held_out_error_mm(
    samples: NDArray[np.float32], basis: NDArray[np.float32], face: NDArray[np.int64], count: int
) -> float:
    """Mean vertex distance left after the least-squares fit of `count` components on the face; mm."""
    design = basis[:count][:, face].reshape(count, -1).T.astype(np.float64)
    wanted = samples[:, face].reshape(len(samples), -1).astype(np.float64)
    fit, *_ = np.linalg.lstsq(design, wanted.T, rcond=None)
    rest = (wanted - (design @ fit).T).reshape(len(samples), -1, 3)
    return float(np.linalg.norm(rest, axis=2).mean())
