"""Wavefront OBJ meshes. Only `v` and `f` lines are read: materials and textures are never followed."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from numpy import ndarray

from models.errors import ScanError
from models.readers.limits import build_scan, read_limited, require_count
from models.readers.numbers import fan_triangles, parse_floats, parse_integers
from models.types import Scan

_VERTEX = re.compile(rb"^[ \t]*v[ \t]([^\n\r]*)", re.MULTILINE)
_FACE = re.compile(rb"^[ \t]*f[ \t]([^\n\r]*)", re.MULTILINE)
_COMMENT = re.compile(rb"#[^\n\r]*")
_TEXTURE_AND_NORMAL = re.compile(rb"(?<=\d)/[\d/-]*")


def read_obj(path: Path) -> Scan:
    """The mesh of an `.obj` file, in its own unit. See `parse_obj`."""
    return parse_obj(read_limited(path), str(path))


def parse_obj(data: bytes, where: str) -> Scan:
    """All faces of all groups as one mesh; vertices keep the file's order, polygons become fans.

    Vertices may carry colours (`v x y z r g b`, in [0, 1] or [0, 255]); negative (relative) indices are understood.
    Raises `ScanError` on anything that is not a number where one is due, and on indices or counts out of range.
    """
    text = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    points, colours = _vertices(_VERTEX.findall(text), where)
    faces = _FACE.findall(text)
    require_count(len(faces), "faces", where)
    corners, sizes = _corners(faces, where)
    if corners.min() < 0:
        corners = _from_relative(corners, sizes, text)
    if (corners == 0).any():
        raise ScanError(f"{where}: a face names vertex 0: the file is damaged, OBJ counts from 1")
    return build_scan(points, fan_triangles(corners - 1, sizes), where, colours)


def _vertices(lines: list[bytes], where: str) -> tuple[Float64[ndarray, "n 3"], UInt8[ndarray, "n 3"] | None]:
    """Coordinates and, where there are six numbers a line, colours."""
    require_count(len(lines), "vertices", where)
    width = len(lines[0].split())
    numbers = parse_floats(b"\n".join(lines), "vertices", where)
    if width not in (3, 4, 6, 7) or len(numbers) != width * len(lines) or any(_uneven(lines, width)):
        raise ScanError(f"{where}: a vertex has not {width} numbers as the first: expected 3, 4, 6 or 7 on each line")
    table = numbers.reshape(len(lines), width)
    if width in (4, 7) and not (table[:, 3] == 1).all():
        raise ScanError(f"{where}: vertices with a weight other than 1: export a plain polygon mesh")
    return table[:, :3], _colours(table[:, -3:], where) if width >= 6 else None


def _uneven(lines: list[bytes], width: int) -> Iterator[bool]:
    return (len(line.split()) != width for line in lines)


def _colours(values: Float64[ndarray, "n 3"], where: str) -> UInt8[ndarray, "n 3"]:
    """Bytes from [0, 1] or, if anything exceeds 1, from [0, 255]."""
    if not ((values >= 0) & (values <= 255)).all():
        raise ScanError(f"{where}: vertex colours outside 0 to 255: the file is damaged")
    return np.rint(values if values.max() > 1 else values * 255).astype(np.uint8)


def _corners(faces: list[bytes], where: str) -> tuple[Int64[ndarray, " c"], Int64[ndarray, " p"]]:
    """Vertex numbers of all faces as written (from 1), and how many each face has."""
    sizes = np.fromiter(map(len, map(bytes.split, faces)), np.int64, len(faces))
    if sizes.min() < 3:
        raise ScanError(f"{where}: a face of {sizes.min()} corners: the file is damaged")
    corners = parse_integers(_TEXTURE_AND_NORMAL.sub(b"", b"\n".join(faces)), "faces", where)
    if len(corners) != sizes.sum():
        raise ScanError(f"{where}: faces hold something that is not a vertex number: the file is damaged")
    return corners, sizes


def _from_relative(corners: Int64[ndarray, " c"], sizes: Int64[ndarray, " p"], text: bytes) -> Int64[ndarray, " c"]:
    """Replace -k by the k-th last vertex that the file names before that face."""
    vertex_starts = np.fromiter((found.start() for found in _VERTEX.finditer(text)), np.int64)
    face_starts = np.fromiter((found.start() for found in _FACE.finditer(text)), np.int64)
    before = np.repeat(np.searchsorted(vertex_starts, face_starts), sizes)
    return np.where(corners < 0, np.maximum(before + 1 + corners, 0), corners)
