"""How far a reconstruction is from the truth: vertices in mm, normals in degrees."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray

from models.errors import DataError


class MeshError(NamedTuple):
    """Distances between corresponding vertices, mm."""

    mean_mm: float
    rmse_mm: float
    per_vertex_mm: Float64[ndarray, " n"]


def mesh_error(estimate: Float32[ndarray, "n 3"], truth: Float32[ndarray, "n 3"], align: bool = True) -> MeshError:
    """Error of `estimate` against `truth`, vertex by vertex (mm); with `align` after the best rigid motion.

    The motion has no scale: a face of the wrong size is an error. Raises `DataError` without vertices.
    """
    if len(truth) == 0:
        raise DataError("no vertices to compare: the meshes are empty")
    source, target = estimate.astype(np.float64), truth.astype(np.float64)
    moved = _rigidly_aligned(source, target) if align else source
    distances = np.linalg.norm(moved - target, axis=1)
    return MeshError(float(distances.mean()), float(np.sqrt(np.mean(distances**2))), distances)


def _rigidly_aligned(source: Float64[ndarray, "n 3"], target: Float64[ndarray, "n 3"]) -> Float64[ndarray, "n 3"]:
    """`source` moved onto `target` by the least-squares rotation and translation. Kabsch 1976."""
    start, end = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((target - end).T @ (source - start))
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return (source - start) @ rotation.T + end


def normal_error_deg(
    estimate: Float32[ndarray, "h w 3"], truth: Float32[ndarray, "h w 3"], valid: Bool[ndarray, "h w"]
) -> Float64[ndarray, " n"]:
    """Angle between the normals of every valid cell, degrees, row by row; the lengths do not matter.

    From the arctangent, which is exact for small angles where the arccosine is not.
    Raises `DataError` when no cell is valid.
    """
    if not valid.any():
        raise DataError("no valid cell to compare: the two normal images do not overlap")
    first, second = estimate[valid].astype(np.float64), truth[valid].astype(np.float64)
    across = np.linalg.norm(np.cross(first, second), axis=1)
    return np.degrees(np.arctan2(across, np.einsum("nc,nc->n", first, second)))
