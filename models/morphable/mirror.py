"""Left and right exchanged: which vertex of a symmetric mesh answers to which on the other side."""

import numpy as np
from jaxtyping import Float32, Float64, Int32
from numpy import ndarray
from scipy.spatial import KDTree

FLIP_X = np.array([-1.0, 1.0, 1.0], dtype=np.float32)


def mirror_partners(template: Float32[ndarray, "n 3"]) -> Int32[ndarray, " n"]:
    """For each vertex the one on the other side of the plane x = 0; applied twice it changes nothing.

    A vertex whose nearest mirrored vertex has a nearer one itself is its own partner.
    """
    nearest = np.asarray(KDTree(template).query(template * FLIP_X)[1], dtype=np.int32)
    own = np.arange(len(template), dtype=np.int32)
    return np.where(nearest[nearest] == own, nearest, own)


def mirrored(moves: Float32[ndarray, "... n 3"], partners: Int32[ndarray, " n"]) -> Float32[ndarray, "... n 3"]:
    """Displacements from the template (mm) as they are on the mirrored face."""
    return moves[..., partners, :] * FLIP_X


def mirror_matrix(basis: Float32[ndarray, "k n 3"], partners: Int32[ndarray, " n"]) -> Float64[ndarray, "k k"]:
    """Takes coefficients of a face (as a row, from the left) to those of the mirrored face.

    Exact where the basis spans the mirror images of its own directions, else the nearest there is (least squares over
    the vertices).
    """
    flat = basis.reshape(len(basis), -1).astype(np.float64)
    turned = mirrored(basis, partners).reshape(len(basis), -1).astype(np.float64)
    return np.linalg.solve(flat @ flat.T, flat @ turned.T).T
