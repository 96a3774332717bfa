"""Equation 4 of paper A: a surface seen as a grid of points."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.rendering.compiled import compiled
from models.rendering.rasteriser import CORNER, draw, require_mesh, snap
from models.types import RangeImage, Scan


class Grid(NamedTuple):
    """Where the cells of a range image lie: its centre is the origin of the camera frame, row 0 is the top."""

    height: int
    width: int
    mm_per_pixel: float

    def columns_mm(self) -> Float64[ndarray, " w"]:
        """Camera-frame x of every column."""
        return (np.arange(self.width) - (self.width - 1) / 2) * self.mm_per_pixel

    def rows_mm(self) -> Float64[ndarray, " h"]:
        """Camera-frame y of every row."""
        return ((self.height - 1) / 2 - np.arange(self.height)) * self.mm_per_pixel


@compiled
def _cells(nearest: ndarray, seen: ndarray, columns: ndarray, rows: ndarray) -> tuple[ndarray, ndarray]:
    height, width = seen.shape
    points = np.zeros((height, width, 3), np.float32)
    valid = np.zeros((height, width), np.bool_)
    for i in range(height):
        for j in range(width):
            if seen[i, j] >= 0:
                points[i, j, 0], points[i, j, 1], points[i, j, 2] = columns[j], rows[i], nearest[i, j]
                valid[i, j] = True
    return points, valid


def render_range_image(scan: Scan, grid: Grid) -> RangeImage:
    """What the rays through the cell centres of `grid`, parallel to z, meet first (largest z); zero where nothing.

    A point lies on its triangle to within the snapping of `models.rendering.rasteriser`: the slope of the surface
    times 1/131,072 of a cell. Raises `ScanError` on a broken mesh.
    """
    require_mesh(scan.vertices, scan.triangles, "render_range_image")
    scale = 1.0 / grid.mm_per_pixel
    middle_column, middle_row = (grid.width - 1) / 2, (grid.height - 1) / 2
    corners = np.empty(len(scan.vertices), CORNER)
    snap(scan.vertices, scale, -scale, middle_column, middle_row, corners)
    nearest, seen = np.full((grid.height, grid.width), -np.inf), np.full((grid.height, grid.width), -1, np.int32)
    draw(corners, scan.triangles, nearest, seen)
    return RangeImage(*_cells(nearest, seen, grid.columns_mm(), grid.rows_mm()))
