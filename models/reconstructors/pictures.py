"""Faces to look at."""

import numpy as np
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from models.geometry.range_image import Grid
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import interpolate, rasterise

KEY_LIGHT = np.array([-0.35, 0.45, 0.82], dtype=np.float32)


def shaded_face(
    vertices: Float32[ndarray, "n 3"], triangles: Int32[ndarray, "m 3"], grid: Grid
) -> UInt8[ndarray, "h w"]:
    """A grey rendering from the front, lit from the upper left; white where there is no surface."""
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    screen = np.stack(
        [
            (vertices[:, 0] - middle[0]) / grid.mm_per_pixel + (grid.width - 1) / 2,
            (grid.height - 1) / 2 - (vertices[:, 1] - middle[1]) / grid.mm_per_pixel,
            vertices[:, 2],
        ],
        axis=1,
    ).astype(np.float32)
    fragments = rasterise(screen, triangles, grid.height, grid.width)
    normals = interpolate(fragments, triangles, vertex_normals(vertices, triangles))
    bright = 0.18 + 0.8 * np.clip(normals @ (KEY_LIGHT / np.linalg.norm(KEY_LIGHT)), 0, 1)
    return np.where(fragments.triangle >= 0, 255 * bright, 255).astype(np.uint8)
