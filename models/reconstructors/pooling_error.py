"""How far identities pooled over several photos of a person are from the true ones: C-Net beside the plain mean."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from models.errors import DataError
from models.metrics.intervals import mean_interval
from models.morphable.builtin import load_face
from models.reconstructors.cnet import confident_means
from models.reconstructors.pooling import subject_means
from models.reconstructors.scoring import FULL_EXPRESSION, FULL_IDENTITY


class PoolingError(NamedTuple):
    """Mean vertex distance of neutral faces from the true ones, mm, over `sets` sets of `views` photos of one person.

    `mean_mm` is that of the plain mean and `single_mm` that of the photos one by one. `gain_mm` is by how much
    confidences lower it, with its 95 % interval over people.
    """

    views: int
    confident_mm: float
    mean_mm: float
    single_mm: float
    gain_mm: float
    gain_low_mm: float
    gain_high_mm: float
    sets: int
    people: int


def pooling_error(
    identity: Float32[ndarray, "n k"],
    confidence: Float32[ndarray, "n k"],
    subjects: Int64[ndarray, " n"],
    truth: Float32[ndarray, "n 160"],
    views: int,
    seed: int,
) -> PoolingError:
    """Error of what was seen on `n` photos of the `subjects`, whose true identities are `truth` in the built-in model.

    Each person's photos are cut, in order, into sets of `views`; what does not fill a set is left out. Raises
    `DataError` when nobody has that many.
    """
    sets = cut_into_sets(subjects, views)
    rows, owner = sets.ravel(), np.repeat(np.arange(len(sets)), views)
    confident = confident_means([identity[rows]], [confidence[rows]], [owner], len(sets))
    plain = subject_means([identity[rows]], [owner], len(sets))
    ours, theirs = (neutral_distances(pooled, truth[sets[:, 0]]) for pooled in (confident, plain))
    single = neutral_distances(identity[rows], truth[rows])
    people = subjects[sets[:, 0]]
    gain = mean_interval(theirs - ours, [str(each) for each in people], seed)
    return PoolingError(
        views,
        float(ours.mean()),
        float(theirs.mean()),
        float(single.mean()),
        gain.value,
        gain.low,
        gain.high,
        len(sets),
        gain.subjects,
    )


def cut_into_sets(subjects: Int64[ndarray, " n"], views: int) -> Int64[ndarray, "s v"]:
    """Row numbers of as many sets of `views` photos of one person as there are; else `DataError`."""
    sets: list[ndarray] = []
    for subject in np.unique(subjects):
        own = np.flatnonzero(subjects == subject)
        sets.append(own[: len(own) // views * views].reshape(-1, views))
    found = np.concatenate(sets)
    if len(found) == 0:
        raise DataError(f"nobody has {views} photos: compare fewer views, or give more photos a person")
    return found


def neutral_distances(
    identity: Float32[ndarray, "n k"], truth: Float32[ndarray, "n 160"], block: int = 256
) -> Float64[ndarray, " n"]:
    """Mean vertex distance (mm, face region, no alignment) of each neutral face: see `scoring.ShapeError`."""
    basis = load_face(FULL_IDENTITY, FULL_EXPRESSION, subdivisions=0).identity_basis
    gap = truth.copy()
    gap[:, : identity.shape[1]] -= identity
    parts = [np.tensordot(gap[start : start + block], basis, axes=1) for start in range(0, len(gap), block)]
    return np.concatenate([np.linalg.norm(part, axis=2).mean(axis=1, dtype=np.float64) for part in parts])
