"""Facts of the coefficients of faces, which are in standard deviations of their morphable model."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray


class CoefficientFacts(NamedTuple):
    """One value a face. `non_finite` counts numbers of any part; the others are over the finite ones (0 where there is
    none): the largest |sigma| of identity and of expression, and the Euclidean length of the identity.
    """

    non_finite: Int64[ndarray, " n"]
    largest_identity: Float64[ndarray, " n"]
    largest_expression: Float64[ndarray, " n"]
    identity_norm: Float64[ndarray, " n"]


def coefficient_facts(
    identity: Float32[ndarray, "n k"], expression: Float32[ndarray, "n e"], others: Float32[ndarray, "n o"]
) -> CoefficientFacts:
    """Facts of faces; `others` (texture, light, pose) have no common unit and need only be finite."""
    non_finite = sum((~np.isfinite(part)).sum(axis=1) for part in (identity, expression, others))
    whose, how = (np.where(np.isfinite(part), part, 0).astype(np.float64) for part in (identity, expression))
    return CoefficientFacts(
        np.asarray(non_finite, dtype=np.int64),
        np.abs(whose).max(axis=1, initial=0),
        np.abs(how).max(axis=1, initial=0),
        np.linalg.norm(whose, axis=1),
    )
