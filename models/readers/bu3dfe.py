"""BU-3DFE (Yin et al. 2006): 100 people, seven expressions, four intensities; camera frame, mm."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from models.errors import DataError, ScanError
from models.protocols.indexed import EMOTIONS
from models.protocols.scans import bu3dfe_protocol as bu3dfe_protocol
from models.readers.limits import read_limited
from models.readers.listing import Naming, Source, folder_and_name, index_by_name, misplaced
from models.readers.numbers import parse_floats
from models.readers.records import ScanRecord
from models.readers.vrml import read_vrml, write_vrml
from models.readers.writing import write_named
from models.types import Scan

EXPRESSIONS: Mapping[str, str] = dict(
    zip(("AN", "DI", "FE", "HA", "SA", "SU", "NE"), (*EMOTIONS, "neutral"), strict=True)
)
ANCESTRIES = {
    "WH": "white",
    "BL": "black",
    "LA": "latin american",
    "AE": "east asian",
    "AM": "middle eastern",
    "IN": "indian",
}
LANDMARKS = 83

_SUBJECT = re.compile(r"[FM]\d{4}")
_PATTERN = re.compile(rf"([FM]\d{{4}})_({'|'.join(EXPRESSIONS)})(\d\d)({'|'.join(ANCESTRIES)})_F3D\.wrl")
_NAMING = Naming("BU-3DFE", "F0001/F0001_AN01WH_F3D.wrl", _PATTERN)


def index_bu3dfe(root: Path) -> list[ScanRecord]:
    """All `F3D` scans below `root`, ordered by path; no scan is opened. See `stream_bu3dfe`."""
    return list(stream_bu3dfe(root))


def stream_bu3dfe(source: Source) -> Iterator[ScanRecord]:
    """All `F3D` scans of a folder or listing, one at a time; no scan is opened.

    Raises `DataError` when there is none, or one's name breaks the format or belongs in another folder.
    """
    nothing = "no <subject>/<name>_F3D.wrl in it: point to the folder that holds F0001 to M0044"
    return index_by_name(source, describe_bu3dfe, nothing)


def describe_bu3dfe(path: str) -> ScanRecord | None:
    """What a path says; None when it is no `F3D` scan in a subject's folder. Raises `DataError`."""
    folder, name = folder_and_name(path)
    if not name.endswith("_F3D.wrl") or not _SUBJECT.fullmatch(folder):
        return None
    subject, expression, intensity, ancestry = _NAMING.parse(name, path)
    if subject != folder:
        raise misplaced(path, subject)
    if not (intensity == "00" if expression == "NE" else "01" <= intensity <= "04"):
        raise DataError(f"{path}: intensity {int(intensity)} of {expression}; NE has 0, the others 1 to 4")
    labels = {"ancestry": ANCESTRIES[ancestry]}
    return ScanRecord(path, subject, subject[0].lower(), EXPRESSIONS[expression], int(intensity), labels)


def read_bu3dfe(path: Path) -> Scan:
    """One scan with the landmarks of the `.bnd` file beside it, if any, as `bnd00` to `bnd82`.

    Raises `ScanError` on a damaged file, and on landmarks that name vertices the scan does not have.
    """
    scan = read_vrml(path)
    bnd = path.with_suffix(".bnd")
    if not bnd.exists():
        return scan
    indices, points = read_bnd(bnd)
    if indices.min() < 0 or indices.max() >= len(scan.vertices):
        raise ScanError(f"{bnd}: a landmark names a vertex outside 0 to {len(scan.vertices) - 1}: not this scan's file")
    landmarks = {f"bnd{row:02d}": (float(x), float(y), float(z)) for row, (x, y, z) in enumerate(points)}
    return Scan(scan.vertices, scan.triangles, scan.colours, landmarks)


def read_bnd(path: Path) -> tuple[Int64[ndarray, "83"], ndarray]:
    """Vertex indices (from 0) and points (mm, "83 3") of a landmark file; `ScanError` unless it has 83 good rows."""
    values = parse_floats(read_limited(path), "landmarks", str(path))
    if len(values) != 4 * LANDMARKS or not np.isfinite(values).all():
        raise ScanError(f"{path}: {len(values)} numbers, not {LANDMARKS} finite rows of index x y z: fetch it again")
    rows = values.reshape(LANDMARKS, 4)
    if (rows[:, 0] % 1).any() or np.abs(rows).max() > 1e9:
        raise ScanError(f"{path}: a landmark's vertex number is no whole number: the file is damaged")
    return rows[:, 0].astype(np.int64), rows[:, 1:]


def write_bu3dfe(
    root: Path,
    subject: str,
    expression: str,
    intensity: int,
    ancestry: str,
    scan: Scan,
    landmark_indices: Int64[ndarray, "83"],
) -> str:
    """Write `scan` and its landmark file in this format; returns the scan's path relative to `root`.

    `subject` like F0001, `expression` and `ancestry` by their two-letter codes, `landmark_indices` are the vertices
    of the 83 landmarks. Each file is whole or absent. Raises `DataError` on a name the format does not have.
    """
    path = f"{subject}/{subject}_{expression}{intensity:02d}{ancestry}_F3D.wrl"
    picture = f"{subject}_{expression}{intensity:02d}{ancestry}_F2D.bmp"
    marks = format_bnd(scan, landmark_indices)
    return write_named(root, path, describe_bu3dfe, write_vrml(scan, picture), {".bnd": marks})


def format_bnd(scan: Scan, landmark_indices: Int64[ndarray, "83"]) -> bytes:
    """A `.bnd` file: vertex index and coordinates (mm) of each landmark. Raises `DataError` on an index too large."""
    if landmark_indices.min() < 0 or landmark_indices.max() >= len(scan.vertices):
        raise DataError(f"landmark vertices must lie in 0 to {len(scan.vertices) - 1}: they belong to another mesh")
    points = scan.vertices[landmark_indices].tolist()
    rows = zip(landmark_indices.tolist(), points, strict=True)
    return "".join(f"{index}\t\t{x:.6f} {y:.6f} {z:.6f}\n" for index, (x, y, z) in rows).encode()
