"""Several photos of one person give one shape: estimates are pooled by subject (Tran et al., CVPR 2017, 3.1)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.morphable.model import MorphableModel
from models.types import Coefficients


def subject_means(coefficients: Float32[ndarray, "n k"], subjects: Sequence[str]) -> Float32[ndarray, "n k"]:
    """For every row the mean over the rows of its subject."""
    _, owner, counts = np.unique(np.array(subjects), return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), coefficients.shape[1]))
    np.add.at(sums, owner, coefficients)
    return (sums / counts[:, None])[owner].astype(np.float32)


def pool_identities(
    face: MorphableModel, own: Float32[ndarray, "n k"], shared: Float32[ndarray, "n k"], share: float
) -> list[Coefficients]:
    """Faces with their own expression and an identity that is `share` parts the subject's mean, the rest their own.

    Rows are identity, then expression. A photo's light and pose disturb its estimate; the mean over a person's photos
    is steadier, so the same person gives the same shape. 0 leaves every photo to itself, as paper A does.
    """
    count = len(face.identity_basis)
    identity = (1 - share) * own[:, :count] + share * shared[:, :count]
    return [
        Coefficients(face.space, who.astype(np.float32), how) for who, how in zip(identity, own[:, count:], strict=True)
    ]
