"""How far reconstructed faces are from the true ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.morphable.builtin import load_face
from models.types import Coefficients

FULL_IDENTITY, FULL_EXPRESSION = 160, 72


class ShapeError(NamedTuple):
    """Mean vertex distance over faces and vertices of the face region, mm, without any alignment.

    `neutral` compares identities alone, `expressive` the faces as photographed. `mean_face` is what always answering
    the mean face would give, `basis_floor` what the truncated bases cannot represent.
    """

    neutral_mm: float
    expressive_mm: float
    mean_face_mm: float
    basis_floor_mm: float
    photos: int


def shape_error(
    predicted: list[Coefficients],
    identity: Float32[ndarray, "n 160"],
    expression: Float32[ndarray, "n 72"],
    block: int = 256,
) -> ShapeError:
    """Errors of `predicted` against the true coefficients in the untruncated built-in model."""
    model = load_face(FULL_IDENTITY, FULL_EXPRESSION, subdivisions=0)
    sums = np.zeros(4)
    for start in range(0, len(predicted), block):
        part = slice(start, start + block)
        guess = predicted[part]
        identity_gap = identity[part] - _padded([each.identity for each in guess], FULL_IDENTITY)
        expression_gap = expression[part] - _padded([each.expression for each in guess], FULL_EXPRESSION)
        missed = identity[part].copy()
        missed[:, : len(guess[0].identity)] = 0
        neutral = np.tensordot(identity_gap, model.identity_basis, axes=1)
        sums += [
            _distance_sum(neutral),
            _distance_sum(neutral + np.tensordot(expression_gap, model.expression_basis, axes=1)),
            _distance_sum(np.tensordot(identity[part], model.identity_basis, axes=1)),
            _distance_sum(np.tensordot(missed, model.identity_basis, axes=1)),
        ]
    means = sums / (len(predicted) * len(model.template))
    return ShapeError(*(float(value) for value in means), photos=len(predicted))


def _distance_sum(displacement: Float32[ndarray, "b n 3"]) -> float:
    return float(np.linalg.norm(displacement, axis=-1).sum(dtype=np.float64))


def _padded(rows: list[ndarray], width: int) -> Float32[ndarray, "b w"]:
    stacked = np.stack(rows)
    return np.pad(stacked, ((0, 0), (0, width - stacked.shape[1]))).astype(np.float32)
