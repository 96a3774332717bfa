"""VRML 2 meshes (ISO/IEC 14772): one IndexedFaceSet, as BU-3DFE and scanner software write them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64, UInt8
from numpy import ndarray

from models.errors import ScanError
from models.readers.limits import build_scan, read_limited, require_count
from models.readers.numbers import fan_triangles, parse_floats, parse_integers
from models.readers.vrml_structure import Field, fields
from models.types import Scan

_HEADER = b"#VRML V2.0"
_IDENTITY = {b"translation": (0.0, 0.0, 0.0), b"scale": (1.0, 1.0, 1.0)}


def read_vrml(path: Path) -> Scan:
    """The mesh of a `.wrl` file, its numbers taken as camera frame and mm. See `parse_vrml`."""
    return parse_vrml(read_limited(path), str(path))


def parse_vrml(data: bytes, where: str) -> Scan:
    """The one IndexedFaceSet of a scene: polygons become fans, `Color` (one a vertex) colours.

    Texture coordinates and images are not read. Raises `ScanError` when there is not exactly one face set, when a
    Transform would move it, or when numbers, counts or indices are wrong.
    """
    if not data.startswith(_HEADER):
        raise ScanError(f"{where}: does not begin with {_HEADER.decode()}: not a VRML 2 file")
    lists: dict[tuple[bytes, bytes], bytes] = {}
    clockwise = False
    for field in fields(data, where):
        _require_unmoved(field, where)
        if field.name is None and field.path[-1:] == (b"IndexedFaceSet",) and b"ccw FALSE" in field.text:
            clockwise = True
        if field.name is not None and b"IndexedFaceSet" in field.path:
            key = (field.path[-1], field.name)
            if key in lists:
                raise ScanError(f"{where}: holds more than one face set: merge them into one mesh first")
            lists[key] = field.text
    points = _triples(_required(lists, b"Coordinate", b"point", where), "points", where)
    triangles = parse_polygons(_required(lists, b"IndexedFaceSet", b"coordIndex", where), where)
    colours = lists.get((b"Color", b"color")) if (b"IndexedFaceSet", b"colorIndex") not in lists else None
    return build_scan(
        points,
        triangles[:, ::-1] if clockwise else triangles,
        where,
        None if colours is None else _vertex_colours(colours, len(points), where),
    )


def parse_polygons(text: bytes, where: str) -> Int64[ndarray, "m 3"]:
    """Triangles of a `coordIndex` list: polygons of three or more corners, each but the last closed by -1."""
    indices = parse_integers(text, "coordIndex", where)
    if len(indices) and indices[-1] != -1:
        indices = np.append(indices, -1)
    ends = np.flatnonzero(indices < 0)
    require_count(len(ends), "polygons", where)
    if (indices[ends] != -1).any():
        raise ScanError(f"{where}: coordIndex holds {indices.min()}, below -1: the file is damaged")
    sizes = np.diff(ends, prepend=-1) - 1
    if sizes.min() < 3:
        raise ScanError(f"{where}: a polygon of {sizes.min()} corners: the file is damaged")
    return fan_triangles(indices[indices >= 0], sizes)


def write_vrml(scan: Scan, texture_name: str) -> bytes:
    """A `.wrl` file with `scan` (mm, six decimals), its colours one a vertex, and the name of its texture image."""
    parts = [
        b"#VRML V2.0 utf8\n\nShape\n{\n appearance Appearance\n {\n  texture ImageTexture\n  {\n   url ",
        f'"{texture_name}"\n  }}\n }}\n geometry IndexedFaceSet\n {{\n'.encode(),
        b"  coord Coordinate\n  {\n   point [",
        _format_rows("%.6f %.6f %.6f,\n", scan.vertices),
        b"   ]\n  }\n",
    ]
    if scan.colours is not None:
        rows = _format_rows("%.5f %.5f %.5f,\n", scan.colours.astype(np.float32) / np.float32(255.0))
        parts += [b"  colorPerVertex TRUE\n  color Color\n  {\n   color [", rows, b"   ]\n  }\n"]
    parts += [b"  coordIndex\n  [\n", _format_rows("%d, %d, %d, -1,\n", scan.triangles), b"  ]\n }\n}\n"]
    return b"".join(parts)


def _format_rows(row: str, values: Float32[ndarray, "n 3"] | Int32[ndarray, "n 3"]) -> bytes:
    """One formatting of all rows at once, several times faster than row by row."""
    return ((row * len(values)) % tuple(values.ravel().tolist())).encode()


def _require_unmoved(field: Field, where: str) -> None:
    """Refuse a Transform that would move, turn or scale the mesh: it is not applied."""
    if field.name is not None or not field.path or field.path[-1] != b"Transform":
        return
    words = field.text.split()
    for position, word in enumerate(words):
        if word in _IDENTITY:
            moved = tuple(parse_floats(b" ".join(words[position + 1 : position + 4]), "Transform", where))
            moved = moved != _IDENTITY[word]
        else:
            moved = word == b"rotation" and float(parse_floats(words[position + 4], "Transform", where)[0]) != 0
        if moved:
            raise ScanError(f"{where}: a Transform changes the mesh's {word.decode()}: apply it before exporting")


def _required(lists: dict[tuple[bytes, bytes], bytes], node: bytes, name: bytes, where: str) -> bytes:
    if (node, name) not in lists:
        raise ScanError(f"{where}: no {name.decode()} list in a {node.decode()}: not a mesh this reader knows")
    return lists[node, name]


def _triples(text: bytes, what: str, where: str) -> Float64[ndarray, "n 3"]:
    values = parse_floats(text, what, where)
    if len(values) % 3:
        raise ScanError(f"{where}: {len(values)} numbers in {what} are no triples: the file is cut short")
    return values.reshape(-1, 3)


def _vertex_colours(text: bytes, vertices: int, where: str) -> UInt8[ndarray, "n 3"]:
    """Colours in [0, 1], one a vertex, as bytes."""
    colours = _triples(text, "colours", where)
    if len(colours) != vertices or not ((colours >= 0) & (colours <= 1)).all():
        raise ScanError(f"{where}: {len(colours)} colours in [0, 1] expected one for each of {vertices} vertices")
    return np.rint(colours * 255).astype(np.uint8)
