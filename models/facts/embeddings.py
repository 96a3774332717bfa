"""Facts of embeddings of one network."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray


class EmbeddingFacts(NamedTuple):
    """One value an embedding: how many numbers are not finite, its length, its distance from the mean of all."""

    non_finite: Int64[ndarray, " n"]
    norm: Float64[ndarray, " n"]
    from_mean: Float64[ndarray, " n"]


def embedding_facts(features: Float32[ndarray, "n d"]) -> EmbeddingFacts:
    """Facts of the embeddings of one network; what is not finite counts as 0 in lengths and distances."""
    finite = np.isfinite(features)
    known = np.where(finite, features, 0).astype(np.float64)
    centre = known.mean(axis=0) if len(known) else np.zeros(known.shape[1])
    return EmbeddingFacts(
        (~finite).sum(axis=1),
        np.linalg.norm(known, axis=1),
        np.linalg.norm(known - centre, axis=1),
    )
