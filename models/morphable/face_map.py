"""A flat map of the face, on which images of detail can be drawn."""

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MARGIN = 0.04


def map_places(template: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 2"]:
    """Where each vertex lies on the map: x to the right and y down, both within -1 and 1.

    The azimuthal equidistant projection of the directions in which the vertices are seen from the centre of the sphere
    that fits the face best: true to scale along every line from the map's middle, and the mirror image of a place is
    the place with the other sign of x. Vertices in one direction (within the nostrils, behind the lips) share a place.
    """
    away = template.astype(np.float64) - _sphere_centre(template.astype(np.float64))
    across = np.hypot(away[:, 0], away[:, 1])
    angle = np.arctan2(across, away[:, 2])
    flat = away[:, :2] * (angle / np.maximum(across, 1e-9))[:, None] * np.array([1.0, -1.0])
    low, high = flat[:, 1].min(), flat[:, 1].max()
    middle, reach = np.array([0.0, (low + high) / 2]), np.array([np.abs(flat[:, 0]).max(), (high - low) / 2])
    return ((flat - middle) / reach * (1 - MARGIN)).astype(np.float32)


def largest_piece(triangles: Int32[ndarray, "m 3"], vertices: int) -> Float32[ndarray, " n"]:
    """1 for the vertices of the largest connected piece of a mesh, the skin; 0 for others, such as eyeballs."""
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = coo_array((np.ones(len(sides), dtype=np.int8), (sides[:, 0], sides[:, 1])), shape=(vertices, vertices))
    piece = np.asarray(connected_components(graph, directed=False)[1])
    return (piece == np.bincount(piece).argmax()).astype(np.float32)


def _sphere_centre(points: ndarray) -> ndarray:
    """Least squares on |p|^2 = 2 c.p + (r^2 - |c|^2), with the centre on the face's plane of symmetry."""
    system = np.column_stack([2 * points[:, 1:], np.ones(len(points))])
    y, z, _ = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    return np.array([0.0, y, z])
