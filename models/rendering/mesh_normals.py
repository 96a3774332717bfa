"""Normals at the vertices of a mesh."""

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from models.rendering.compiled import compiled
from models.rendering.rasteriser import require_mesh


@compiled
def _sum_faces(vertices: ndarray, triangles: ndarray) -> ndarray:
    total = np.zeros(vertices.shape, np.float64)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = np.float64(vertices[a, 0]), np.float64(vertices[a, 1]), np.float64(vertices[a, 2])
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        vx, vy, vz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            total[corner, 0] += nx
            total[corner, 1] += ny
            total[corner, 2] += nz
    return total


@compiled
def _normalised(total: ndarray) -> ndarray:
    unit = np.zeros(total.shape, np.float32)
    for i in range(total.shape[0]):
        length = np.sqrt(total[i, 0] ** 2 + total[i, 1] ** 2 + total[i, 2] ** 2)
        if length > 0:
            unit[i, 0], unit[i, 1], unit[i, 2] = total[i, 0] / length, total[i, 1] / length, total[i, 2] / length
    return unit


def vertex_normals(vertices: Float32[ndarray, "n 3"], triangles: Int32[ndarray, "m 3"]) -> Float32[ndarray, "n 3"]:
    """Unit normals, outwards of counter-clockwise triangles: the area-weighted mean of the faces at a vertex.

    A vertex that no triangle with area uses gets zero. Raises `ScanError` on a broken mesh.
    """
    require_mesh(vertices, triangles, "vertex_normals")
    return _normalised(_sum_faces(vertices, triangles))
