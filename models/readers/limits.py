"""Limits that every scan passes before and after parsing."""

import zlib
from collections.abc import Callable
from errno import ENOENT
from gzip import GzipFile
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from numpy import ndarray

from models.errors import ScanError
from models.types import Scan, require_finite

MAX_BYTES = 200_000_000
MAX_COUNT = 5_000_000
_PIECE = 1 << 20
# A coordinate beyond a kilometre is damage, and its square would overflow float32 further down.
MAX_COORDINATE_MM = 1e6


def read_limited(path: Path) -> bytes:
    """The bytes of a scan file, unpacked when its name ends in `.gz`.

    Raises `ScanError` when it is absent, unreadable, torn, empty or above 200 MB (unpacked: a bomb is cut off there).
    """
    try:
        if not path.is_file():  # also keeps pipes and devices from blocking
            raise FileNotFoundError(ENOENT, "no such file")
        with path.open("rb") as file:
            packed = path.suffix.lower() == ".gz"
            data = _read_up_to(GzipFile(fileobj=file).read if packed else file.read, MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScanError(f"{path}: cannot be read ({reason}): check the path and its permissions") from None
    if data is None:
        raise ScanError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB: decimate the mesh first")
    if not data:
        raise ScanError(f"{path}: the file is empty: fetch it again")
    return data


def _read_up_to(read: Callable[[int], bytes], limit: int) -> bytes | None:
    """All bytes, taken in pieces so that a small file takes little room; None when they are more than `limit`."""
    pieces: list[bytes] = []
    total = 0
    while piece := read(_PIECE):
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            return None
    return b"".join(pieces)


def require_count(count: int, what: str, where: str) -> None:
    """Raise `ScanError` unless `count` lies between 1 and five million."""
    if not 1 <= count <= MAX_COUNT:
        raise ScanError(f"{where}: {count} {what}, expected 1 to {MAX_COUNT}")


def build_scan(
    points: Float64[ndarray, "n 3"],
    triangles: Int64[ndarray, "m 3"],
    where: str,
    colours: UInt8[ndarray, "n 3"] | None = None,
    landmarks: dict[str, tuple[float, float, float]] | None = None,
) -> Scan:
    """A `Scan` (camera frame, mm) once counts, indices and coordinates are within bounds, else `ScanError`."""
    require_count(len(points), "vertices", where)
    require_count(len(triangles), "triangles", where)
    require_finite(points, "vertices", where)
    if np.abs(points).max() > MAX_COORDINATE_MM:
        raise ScanError(f"{where}: a vertex lies {np.abs(points).max():.3g} mm away: the file or its unit is damaged")
    if triangles.min() < 0 or triangles.max() >= len(points):
        raise ScanError(f"{where}: a triangle names a vertex outside 0 to {len(points) - 1}: the file is damaged")
    return Scan(points.astype(np.float32), triangles.astype(np.int32), colours, landmarks or {})
