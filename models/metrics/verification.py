"""Verification: is a pair of faces the same person?"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from scipy.stats import rankdata

from models.errors import DataError

MOST_ROWS = 4000


def verification_auc(vectors: Float32[ndarray, "n k"], subjects: Sequence[str], seed: int = 0) -> float:
    """Area under the ROC curve of all pairs, scored by the cosine between vectors less their mean.

    .5 is chance, 1 tells every pair of one person from every pair of two. Of more than 4,000 rows as many are drawn.
    Raises `DataError` when there are no pairs of one kind.
    """
    chosen = np.arange(len(vectors))
    if len(vectors) > MOST_ROWS:
        chosen = np.random.default_rng(seed).choice(chosen, MOST_ROWS, replace=False)
    similar = _cosines(vectors[chosen].astype(np.float64) - vectors.mean(axis=0, dtype=np.float64))
    _, owner = np.unique(np.array(subjects)[chosen], return_inverse=True)
    first, second = np.triu_indices(len(chosen), k=1)
    genuine = owner[first] == owner[second]
    count = int(genuine.sum())
    if count == 0 or count == len(genuine):
        raise DataError(
            f"verification: {count} of {len(genuine)} pairs show one person; pairs of both kinds are needed"
        )
    ranks = rankdata(similar[first, second])
    wins = ranks[genuine].sum() - count * (count + 1) / 2
    return float(wins / (count * (len(genuine) - count)))


def _cosines(centred: Float64[ndarray, "n k"]) -> Float64[ndarray, "n n"]:
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T
