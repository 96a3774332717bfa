"""PLY, STL and OFF meshes through trimesh, once their headers declare nothing the file cannot hold."""

import io
import re
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float64, Int64, UInt8
from numpy import ndarray
from trimesh.visual import ColorVisuals

from models.errors import ScanError
from models.readers.limits import MAX_COUNT, build_scan, read_limited
from models.types import Scan

_PLY_HEADER_BYTES = 65_536
_PLY_PROPERTIES = 64
_PLY_ELEMENT = re.compile(rb"^element[ \t]+(\w+)[ \t]+(\S+)", re.MULTILINE)
_STL_HEADER_BYTES = 84
_STL_TRIANGLE_BYTES = 50


def read_ply(path: Path) -> Scan:
    """An ASCII or binary `.ply` mesh with its vertex colours, if any; in its own unit. Raises `ScanError`."""
    data = read_limited(path)
    end = data.find(b"end_header", 0, _PLY_HEADER_BYTES)
    if not data.startswith(b"ply") or end < 0:
        raise ScanError(f"{path}: no PLY header in its first {_PLY_HEADER_BYTES} bytes: not a PLY file")
    header = data[:end].replace(b"\r", b"\n")
    if header.count(b"property") > _PLY_PROPERTIES:
        raise ScanError(f"{path}: more than {_PLY_PROPERTIES} properties: not a plain mesh")
    for name, count in _PLY_ELEMENT.findall(header):
        _require_declared(count, name.decode("ascii", "replace"), len(data) - end, str(path))
    return _through_trimesh(data, "ply", str(path))


def read_stl(path: Path) -> Scan:
    """An ASCII or binary `.stl` mesh, equal corners merged; in its own unit. Raises `ScanError`."""
    data = read_limited(path)
    declared = int.from_bytes(data[80:84], "little")
    binary = len(data) >= _STL_HEADER_BYTES and len(data) == _STL_HEADER_BYTES + declared * _STL_TRIANGLE_BYTES
    if not binary and not (data.lstrip().startswith(b"solid") and b"endsolid" in data):
        raise ScanError(f"{path}: neither ASCII nor as long as its {declared} triangles: not an STL file, or cut short")
    return _through_trimesh(data, "stl", str(path))


def read_off(path: Path) -> Scan:
    """An ASCII `.off` mesh; in its own unit. Raises `ScanError`."""
    data = read_limited(path)
    lines = (line.split(b"#")[0].split() for line in data[:_PLY_HEADER_BYTES].splitlines())
    words = [word for line in lines for word in line][:4]
    if len(words) < 4 or words[0] not in (b"OFF", b"COFF"):
        raise ScanError(f"{path}: does not begin with OFF and three counts: not an OFF file")
    for count, name in zip(words[1:3], ("vertex", "face"), strict=True):
        _require_declared(count, name, len(data), str(path))
    return _through_trimesh(data, "off", str(path))


def _require_declared(count: bytes, name: str, room: int, where: str) -> None:
    """Refuse a count that is no number, beyond the limit, or larger than the bytes left could hold."""
    if not count.isdigit() or len(count) > 9 or int(count) > min(MAX_COUNT, room):
        text = count[:20].decode("ascii", "replace")
        raise ScanError(f"{where}: declares {text} of {name}, which {room} bytes cannot hold or {MAX_COUNT} forbids")


def _through_trimesh(data: bytes, kind: str, where: str) -> Scan:
    try:
        with np.errstate(all="ignore"):
            # without a resolver no texture or material file is ever opened
            mesh = trimesh.load_mesh(io.BytesIO(data), file_type=kind, process=False, resolver=None)
        points = np.asarray(mesh.vertices, np.float64).reshape(-1, 3)
        triangles = np.asarray(mesh.faces, np.int64).reshape(-1, 3)
        colours = _colours(mesh, len(points))
    except Exception as error:  # the parser meets hostile bytes with exceptions of every kind
        raise ScanError(
            f"{where}: not a readable {kind.upper()} mesh ({type(error).__name__}): export it again"
        ) from None
    if kind == "stl" and len(points):
        points, triangles = _merged(points, triangles)
    return build_scan(points, triangles, where, colours)


def _colours(mesh: trimesh.Trimesh, vertices: int) -> UInt8[ndarray, "n 3"] | None:
    """Vertex colours, when the file has them."""
    if not isinstance(mesh.visual, ColorVisuals) or mesh.visual.kind != "vertex":
        return None
    colours = np.asarray(mesh.visual.vertex_colors)
    return np.ascontiguousarray(colours[:, :3], np.uint8) if len(colours) == vertices else None


def _merged(
    points: Float64[ndarray, "n 3"], triangles: Int64[ndarray, "m 3"]
) -> tuple[Float64[ndarray, "k 3"], Int64[ndarray, "m 3"]]:
    """STL repeats a vertex for every triangle: make equal ones one."""
    unique, place = np.unique(points, axis=0, return_inverse=True)
    return unique, place.reshape(-1)[triangles].astype(np.int64)
