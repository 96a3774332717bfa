"""BU-3DFE (Yin et al. 2006): 100 people, seven expressions, four intensities; camera frame, mm."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from infra.files import atomic_write_bytes
from models.errors import DataError, ScanError
from models.metrics.protocol import Exclusion, Member, Protocol
from models.readers.limits import read_limited
from models.readers.numbers import parse_floats
from models.readers.records import ScanRecord
from models.readers.vrml import read_vrml, write_vrml
from models.types import Scan

EXPRESSIONS = {
    "AN": "angry",
    "DI": "disgusted",
    "FE": "afraid",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprised",
}
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
_NAME = re.compile(rf"([FM]\d{{4}})_({'|'.join(EXPRESSIONS)})(\d\d)({'|'.join(ANCESTRIES)})_F3D\.wrl")


def index_bu3dfe(root: Path) -> list[ScanRecord]:
    """All `F3D` scans below `root`, ordered by path; no scan is opened.

    Raises `DataError` when there is none, or one's name breaks the format or belongs in another folder.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder: point to the one that holds F0001 to M0044")
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and _SUBJECT.fullmatch(entry.name))
    records = [_record(path) for folder in folders for path in sorted(folder.glob("*_F3D.wrl"))]
    if not records:
        raise DataError(f"{root}: no <subject>/<name>_F3D.wrl in it: point to the folder that holds F0001 to M0044")
    return records


def _record(path: Path) -> ScanRecord:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise DataError(f"{path}: not a BU-3DFE name like F0001_AN01WH_F3D.wrl: rename it or move it away")
    subject, expression, intensity, ancestry = found.groups()
    if subject != path.parent.name:
        raise DataError(f"{path}: a scan of {subject} in the folder of {path.parent.name}: move it")
    _require_intensity(expression, int(intensity), str(path))
    labels = {"ancestry": ANCESTRIES[ancestry]}
    name = f"{subject}/{path.name}"
    return ScanRecord(name, subject, subject[0].lower(), EXPRESSIONS[expression], int(intensity), labels)


def _require_intensity(expression: str, intensity: int, where: str) -> None:
    if not (intensity == 0 if expression == "NE" else 1 <= intensity <= 4):
        raise DataError(f"{where}: intensity {intensity} of {expression}; NE has 0, the others 1 to 4")


def bu3dfe_protocol(records: list[ScanRecord]) -> Protocol:
    """Paper A, section 3.1: the neutral scan of each subject is enrolled, every other scan is searched.

    Scans of a subject without a neutral one are excluded. Raises `DataError` on a second neutral scan.
    """
    gallery = tuple(_member(record) for record in records if record.expression == "neutral")
    enrolled = {member.subject for member in gallery}
    if len(enrolled) != len(gallery):
        raise DataError(f"BU-3DFE: {len(gallery)} neutral scans of {len(enrolled)} subjects: each has exactly one")
    rest = [_member(record) for record in records if record.expression != "neutral"]
    probes = tuple(member for member in rest if member.subject in enrolled)
    left = tuple(Exclusion(member.id, "no neutral scan") for member in rest if member.subject not in enrolled)
    return Protocol("bu3dfe", gallery, probes, left)


def _member(record: ScanRecord) -> Member:
    if record.subject is None:
        raise DataError(f"BU-3DFE: {record.path} has no subject: index the folder with index_bu3dfe")
    return Member(record.path, record.subject)


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
    name = f"{subject}_{expression}{intensity:02d}{ancestry}_F3D.wrl"
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name}: not a BU-3DFE name; expressions {sorted(EXPRESSIONS)}, ancestries {sorted(ANCESTRIES)}"
        )
    _require_intensity(expression, intensity, name)
    path = root / subject / name
    # the landmarks first: a scan that is there always has them
    atomic_write_bytes(path.with_suffix(".bnd"), format_bnd(scan, landmark_indices))
    atomic_write_bytes(path, write_vrml(scan, name.replace("_F3D.wrl", "_F2D.bmp")))
    return f"{subject}/{name}"


def format_bnd(scan: Scan, landmark_indices: Int64[ndarray, "83"]) -> bytes:
    """A `.bnd` file: vertex index and coordinates (mm) of each landmark. Raises `DataError` on an index too large."""
    if landmark_indices.min() < 0 or landmark_indices.max() >= len(scan.vertices):
        raise DataError(f"landmark vertices must lie in 0 to {len(scan.vertices) - 1}: they belong to another mesh")
    points = scan.vertices[landmark_indices].tolist()
    rows = zip(landmark_indices.tolist(), points, strict=True)
    return "".join(f"{index}\t\t{x:.6f} {y:.6f} {z:.6f}\n" for index, (x, y, z) in rows).encode()
