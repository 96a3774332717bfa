"""The text range images of FRGC (`.abs`, also gzipped): flags, X, Y and Z of every cell, mm."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from models.errors import ScanError
from models.readers.grids import Cells, mesh_of, require_grid
from models.readers.limits import read_limited
from models.readers.numbers import parse_floats, parse_integers
from models.types import RangeImage, Scan

BACKGROUND_MM = -999_999.0
# A coordinate takes a dozen characters; far more is not this format.
_CHARACTERS_A_CELL = 160
_HEADER = re.compile(rb"\s{0,99}(\d{1,6}) +rows *\r?\n *(\d{1,6}) +columns *\r?\n *pixels \(flag X Y Z\): *\r?\n")


def read_abs(path: Path) -> Scan:
    """The surface of an `.abs` or `.abs.gz` file. See `parse_abs`."""
    return mesh_of(parse_abs(read_limited(path), str(path)), str(path))


def parse_abs(data: bytes, where: str) -> Cells:
    """The grid of an `.abs` file (already unpacked).

    It is stored from the top row, Z negative before the camera and larger when nearer, which is the camera frame. A
    cell is background by its flag or by any coordinate of -999999. Raises `ScanError` on another header, a count
    that does not fit it, or anything that is not a number.
    """
    header = _HEADER.match(data)
    if header is None:
        raise ScanError(f"{where}: does not begin with rows, columns and 'pixels (flag X Y Z):': not an .abs file")
    rows, columns = int(header[1]), int(header[2])
    require_grid(rows, columns, where)
    if len(data) > _CHARACTERS_A_CELL * rows * columns + len(header[0]):
        raise ScanError(f"{where}: {len(data)} bytes for {rows} x {columns} cells are too many: the file is damaged")
    lines = [line for line in data[header.end() :].split(b"\n") if line.strip()]
    if len(lines) != 4:
        raise ScanError(f"{where}: {len(lines)} lines of numbers, not flags, X, Y and Z: the file is cut short")
    flags = parse_integers(lines[0], "flags", where)
    axes = [parse_floats(line, name, where) for line, name in zip(lines[1:], "XYZ", strict=True)]
    _require_cells(flags, axes, rows, columns, where)
    points = np.stack(axes, axis=-1).reshape(rows, columns, 3)
    return Cells(points, (flags.reshape(rows, columns) == 1) & (points != BACKGROUND_MM).all(axis=-1))


def _require_cells(
    flags: Int64[ndarray, " n"], axes: list[Float64[ndarray, " m"]], rows: int, columns: int, where: str
) -> None:
    counts = [len(flags), *map(len, axes)]
    if counts != [rows * columns] * 4:
        raise ScanError(f"{where}: {counts} flags, X, Y, Z for {rows} x {columns} cells: the file is damaged")
    if not ((flags == 0) | (flags == 1)).all():
        raise ScanError(f"{where}: a flag is neither 0 nor 1: the file is damaged")


def write_abs(image: RangeImage) -> bytes:
    """An `.abs` file: six decimals, a blank after every number; cells that are not valid hold the background."""
    rows, columns = image.valid.shape
    points = np.where(image.valid[..., None], image.points.astype(np.float64), BACKGROUND_MM)
    flags = "%d " * image.valid.size % tuple(image.valid.ravel().astype(int).tolist())
    axes = ["%.6f " * image.valid.size % tuple(points[..., axis].ravel().tolist()) for axis in range(3)]
    lines = [f"{rows} rows", f"{columns} columns", "pixels (flag X Y Z):", flags, *axes]
    return ("\n".join(lines) + "\n").encode()
