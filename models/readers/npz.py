"""Meshes as NumPy archives: `vertices` and `triangles` (or `faces`), as many programs leave them."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from models.errors import ScanError
from models.readers.limits import MAX_COUNT, build_scan, read_limited
from models.types import Scan

_MOST_BYTES = MAX_COUNT * 3 * 8 + 10_000
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def read_npz(path: Path) -> Scan:
    """The mesh of an `.npz` file, in its own unit; indices count from 0. Raises `ScanError`.

    Only the arrays named are unpacked, after their size and type; objects, which would be pickles, never are.
    """
    data = read_limited(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            named = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
            faces = "triangles" if "triangles" in named else "faces"
            for name in ("vertices", faces):
                if name not in named:
                    raise ScanError(f"{path}: no array {name!r}; an .npz mesh holds 'vertices' and 'triangles'")
            points = _read(archive, named["vertices"], np.floating, str(path))
            triangles = _read(archive, named[faces], np.integer, str(path))
    except _UNREADABLE as error:
        raise ScanError(f"{path}: not a readable .npz mesh ({type(error).__name__}): save it again") from None
    return build_scan(_as_points(points), _as_triangles(triangles), str(path))


def _read(archive: zipfile.ZipFile, member: str, kind: type[np.generic], where: str) -> ndarray:
    """One n x 3 array of that kind of number; refused by its header before its data is read."""
    if archive.getinfo(member).file_size > _MOST_BYTES:
        raise ScanError(f"{where}: {member} is larger than {MAX_COUNT} rows of three numbers: decimate the mesh first")
    with archive.open(member) as stream:
        raw = stream.read(_MOST_BYTES)
    header = io.BytesIO(raw)
    version = np.lib.format.read_magic(header)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = reader(header)
    if len(shape) != 2 or shape[1] != 3 or not np.issubdtype(dtype, kind):
        raise ScanError(f"{where}: {member} is {dtype} of shape {shape}; an n x 3 array of {kind.__name__} is wanted")
    if shape[0] * 3 * dtype.itemsize != len(raw) - header.tell():
        raise ScanError(f"{where}: {member} is not as long as the {shape[0]} rows it declares: save it again")
    return np.load(io.BytesIO(raw), allow_pickle=False)


def _as_points(values: ndarray) -> Float64[ndarray, "n 3"]:
    return np.ascontiguousarray(values, np.float64)


def _as_triangles(values: ndarray) -> Int64[ndarray, "m 3"]:
    return np.ascontiguousarray(values.clip(-1, MAX_COUNT), np.int64)
