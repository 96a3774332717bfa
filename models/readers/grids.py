"""Range scanners deliver a grid of points: from its cells to a mesh, whichever way the file runs."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from models.errors import ScanError
from models.readers.limits import MAX_COORDINATE_MM, build_scan, require_count
from models.types import Scan, require_finite

# Triangles number at most two a cell, and have their own limit.
MAX_CELLS = 1_500_000
MAX_SIDE = 16_384
TEAR_MM = 10.0
"""Neighbouring cells further apart in depth lie on two surfaces (nose and cheek, chin and neck)."""


class Cells(NamedTuple):
    """A scanner's grid, camera frame and mm, its top row first; points where `valid` is false mean nothing."""

    points: Float64[ndarray, "h w 3"]
    valid: Bool[ndarray, "h w"]


def require_grid(rows: int, columns: int, where: str) -> None:
    """Raise `ScanError` unless a declared grid has two cells a side and at most 1.5 million in all."""
    if not (2 <= rows <= MAX_SIDE and 2 <= columns <= MAX_SIDE and rows * columns <= MAX_CELLS):
        raise ScanError(f"{where}: declares {rows} x {columns} cells, expected 2 x 2 to {MAX_CELLS} in all")


def mesh_of(cells: Cells, where: str, landmarks: dict[str, tuple[float, float, float]] | None = None) -> Scan:
    """The surface through all valid cells: one vertex each, row by row, neighbours joined unless the depth tears.

    Triangles run counter-clockwise seen from the camera, which is where every point was seen from. Raises
    `ScanError` when no surface is left or a valid cell is not finite or too far away.
    """
    points = cells.points[cells.valid]
    require_count(len(points), "valid cells", where)
    require_finite(points, "valid cells", where)
    if np.abs(points).max() > MAX_COORDINATE_MM:
        raise ScanError(f"{where}: a cell lies {np.abs(points).max():.3g} mm away: the file is damaged")
    triangles = _joined(cells.valid)
    triangles = triangles[np.ptp(points[:, 2][triangles], axis=1) < TEAR_MM]
    return build_scan(points, _towards_camera(points, triangles), where, None, landmarks)


def _joined(valid: Bool[ndarray, "h w"]) -> Int64[ndarray, "m 3"]:
    """Two triangles between every four neighbours, one where only its three are valid."""
    number = np.full(valid.shape, -1, np.int64)
    number[valid] = np.arange(np.count_nonzero(valid))
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return triangles[(triangles >= 0).all(axis=1)]


def _towards_camera(points: Float64[ndarray, "n 3"], triangles: Int64[ndarray, "m 3"]) -> Int64[ndarray, "m 3"]:
    """The triangles, turned over when rows or columns run against the camera frame."""
    x, y = points[:, 0][triangles], points[:, 1][triangles]
    doubled = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    return triangles[:, ::-1] if doubled.sum() < 0 else triangles
