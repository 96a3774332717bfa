"""Where a surface bulges towards the camera: the tip of the nose is nearly always among the strongest bulges.

At the tip the surface falls away on every side: the mean of the neighbours within a ball lies well below the tangent
plane and well centred under the point. That needs no upright pose, unlike the largest z. Chins, ears, hair and
shoulders bulge too; `models.geometry.nose_tip` decides between them.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray
from scipy.spatial import KDTree

from models.rendering.compiled import compiled
from models.rendering.mesh_normals import vertex_normals
from models.types import Scan

SPACING_MM = 8.0
BALL_MM = 25.0
APART_MM = 22.0
SMOOTH_MM = 12.0
LEAST_FACING = 0.3
FEWEST_NEIGHBOURS = 12


class Bulge(NamedTuple):
    """The place (camera frame, mm) and how far below it, on average, the surface within the ball lies (mm)."""

    tip: Float64[ndarray, " 3"]
    height_mm: float


class Patches(NamedTuple):
    """A surface as evenly spread points with their normals, one for every 8 mm or so."""

    points: Float64[ndarray, "n 3"]
    normals: Float64[ndarray, "n 3"]


def _thin(scan: Scan) -> Patches:
    """Mean point and normal of every occupied cell: even density, noise averaged out."""
    normals = vertex_normals(scan.vertices, scan.triangles)
    cell = np.floor((scan.vertices - scan.vertices.min(axis=0)) / SPACING_MM).astype(np.int64)
    key = (cell[:, 0] << 40) + (cell[:, 1] << 20) + cell[:, 2]
    _, member, size = np.unique(key, return_inverse=True, return_counts=True)

    def total(values: ndarray) -> ndarray:
        return np.stack([np.bincount(member, values[:, k]) for k in range(3)], axis=1)

    direction = total(normals)
    return Patches(
        total(scan.vertices) / size[:, None], direction / (np.linalg.norm(direction, axis=1)[:, None] + 1e-9)
    )


@compiled
def _smooth(points: ndarray, normals: ndarray, pairs: ndarray) -> tuple[ndarray, ndarray]:
    """Mean point and summed normal over the neighbours within `SMOOTH_MM`: a spike alone is no nose."""
    mean, direction, number = points.copy(), normals.copy(), np.ones(len(points))
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        x, y, z = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2]
        if x * x + y * y + z * z <= SMOOTH_MM * SMOOTH_MM:
            number[i] += 1
            number[j] += 1
            for k in range(3):
                mean[i, k] += points[j, k]
                mean[j, k] += points[i, k]
                direction[i, k] += normals[j, k]
                direction[j, k] += normals[i, k]
    for i in range(len(points)):
        length = np.sqrt(direction[i, 0] ** 2 + direction[i, 1] ** 2 + direction[i, 2] ** 2) + 1e-9
        for k in range(3):
            mean[i, k] /= number[i]
            direction[i, k] /= length
    return mean, direction


@compiled
def _bulge(points: ndarray, normals: ndarray, pairs: ndarray) -> ndarray:
    """How far (mm) neighbours within the ball lie below the point; less where they lie to one side of it."""
    offset, number = np.zeros(points.shape), np.zeros(len(points))
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        number[i] += 1
        number[j] += 1
        for k in range(3):
            apart = points[j, k] - points[i, k]
            offset[i, k] += apart
            offset[j, k] -= apart
    score = np.zeros(len(points))
    for i in range(len(points)):
        if number[i] < FEWEST_NEIGHBOURS or normals[i, 2] < LEAST_FACING:
            continue
        below, square = 0.0, 0.0
        for k in range(3):
            apart = offset[i, k] / number[i]
            below -= apart * normals[i, k]
            square += apart * apart
        score[i] = max(0.0, below - 0.5 * np.sqrt(max(square - below * below, 0.0)))
    return score


def find_bulges(scan: Scan, most: int = 6) -> tuple[Patches, tuple[Bulge, ...]]:
    """The evenly thinned surface, and its strongest bulges that face the camera, at least 22 mm apart, best first."""
    thin = _thin(scan)
    pairs = KDTree(thin.points).query_pairs(BALL_MM, output_type="ndarray")
    points, normals = _smooth(thin.points, thin.normals, pairs)
    score = _bulge(points, normals, pairs)
    found: list[Bulge] = []
    for at in np.argsort(-score):
        if score[at] <= 0 or len(found) == most:
            break
        if all(np.linalg.norm(points[at] - other.tip) > APART_MM for other in found):
            found.append(Bulge(points[at], float(score[at])))
    return Patches(points, normals), tuple(found)
