"""The binary range images of Bosphorus (`.bnt`): X, Y, Z and texture place of every cell, little-endian."""

import logging
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.errors import ScanError
from models.readers.grids import Cells, mesh_of, require_grid
from models.readers.limits import read_limited
from models.types import RangeImage, Scan

BACKGROUND_MM = -1e9
_BLOCKS = 5
_SIZES = struct.Struct("<HHdH")
_COUNT = struct.Struct("<I")
_log = logging.getLogger(__name__)


class _Header(NamedTuple):
    rows: int
    columns: int
    background: float
    data_start: int


def read_bnt(path: Path) -> Scan:
    """The surface of a `.bnt` file. See `parse_bnt`."""
    return mesh_of(parse_bnt(read_limited(path), str(path)), str(path))


def parse_bnt(data: bytes, where: str) -> Cells:
    """The grid of a `.bnt` file in the camera frame, mm.

    The file begins with the bottom row; larger Z is nearer. A cell is background when *any* of X, Y and Z is: u and
    v are filled in everywhere and tell nothing. Where the count of values contradicts the rows, as in some published
    files, the count holds and a warning is logged. Raises `ScanError` when the file is not as long as it says.
    """
    header = _read_header(data, where)
    values = np.frombuffer(data, "<f8", offset=header.data_start)
    blocks = values.reshape(_BLOCKS, header.rows, header.columns)[:3, ::-1]
    points = np.moveaxis(blocks, 0, -1).astype(np.float64)
    return Cells(points, (points != header.background).all(axis=-1))


def _read_header(data: bytes, where: str) -> _Header:
    torn = ScanError(f"{where}: ends within its header: not a .bnt file, or cut short")
    if len(data) < _SIZES.size + _COUNT.size:
        raise torn
    rows, columns, background, name_length = _SIZES.unpack_from(data)
    require_grid(rows, columns, where)
    if not np.isfinite(background):
        raise ScanError(f"{where}: its background value is {background}: the file is damaged")
    start = _SIZES.size + name_length
    if len(data) < start + _COUNT.size:
        raise torn
    (count,) = _COUNT.unpack_from(data, start)
    start += _COUNT.size
    if count % _BLOCKS or len(data) - start != 8 * count:
        raise ScanError(f"{where}: declares {count} values and holds {(len(data) - start) / 8:g}: the file is damaged")
    return _Header(_rows(count // _BLOCKS, rows, columns, where), columns, background, start)


def _rows(cells: int, rows: int, columns: int, where: str) -> int:
    """How many rows the values make."""
    if cells == rows * columns:
        return rows
    if cells % columns:
        raise ScanError(f"{where}: {cells} cells do not make rows of {columns}: the file is damaged")
    require_grid(cells // columns, columns, where)
    _log.warning("%s: declares %d rows and holds %d: the latter are read", where, rows, cells // columns)
    return cells // columns


def write_bnt(image: RangeImage, picture: str) -> bytes:
    """A `.bnt` file; `picture` names the texture image. Raises `ScanError` on a grid or name beyond the format."""
    rows, columns = image.valid.shape
    require_grid(rows, columns, picture)
    points = np.where(image.valid[..., None], image.points.astype(np.float64), BACKGROUND_MM)[::-1]
    u = np.broadcast_to((np.arange(columns) + 0.5) / columns, (rows, columns))
    v = np.broadcast_to(((np.arange(rows) + 0.5) / rows)[:, None], (rows, columns))
    values = np.stack([*np.moveaxis(points, -1, 0), u, v]).astype("<f8")
    name = picture.encode("ascii")
    return _SIZES.pack(rows, columns, BACKGROUND_MM, len(name)) + name + _COUNT.pack(values.size) + values.tobytes()
