"""The 3D landmark files of Bosphorus (`.lm3`): a label and its point, alternating, mm."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.errors import DataError, ScanError
from models.readers.limits import MAX_COORDINATE_MM, read_limited
from models.readers.numbers import parse_floats

Landmarks = dict[str, tuple[float, float, float]]
LABELS = (
    "Outer left eyebrow",
    "Middle left eyebrow",
    "Inner left eyebrow",
    "Inner right eyebrow",
    "Middle right eyebrow",
    "Outer right eyebrow",
    "Outer left eye corner",
    "Inner left eye corner",
    "Inner right eye corner",
    "Outer right eye corner",
    "Nose saddle left",
    "Nose saddle right",
    "Left nose peak",
    "Nose tip",
    "Right nose peak",
    "Left mouth corner",
    "Upper lip outer middle",
    "Right mouth corner",
    "Upper lip inner middle",
    "Lower lip inner middle",
    "Lower lip outer middle",
    "Chin middle",
)
_MAX_BYTES = 65_536
_COUNT = re.compile(r"(\d{1,3}) landmarks:")


def read_lm3(path: Path) -> Landmarks:
    """Points by label (some faces lack some). Raises `ScanError` on a damaged file."""
    return parse_lm3(read_limited(path), str(path))


def parse_lm3(data: bytes, where: str) -> Landmarks:
    """The landmarks of an `.lm3` file; whatever stands before its count is a comment. Raises `ScanError`."""
    if len(data) > _MAX_BYTES:
        raise ScanError(f"{where}: {len(data)} bytes: not a list of landmarks")
    lines = [line.strip() for line in data.decode("latin-1").splitlines() if line.strip()]
    begin = next((number for number, line in enumerate(lines) if _COUNT.fullmatch(line)), None)
    if begin is None:
        raise ScanError(f"{where}: no line like '22 landmarks:': not an .lm3 file")
    declared = int(lines[begin].split()[0])
    labels, points = lines[begin + 1 :: 2], lines[begin + 2 :: 2]
    if not len(labels) == len(points) == len(set(labels)) == declared:
        raise ScanError(f"{where}: declares {declared} landmarks and holds {len(labels)} labels, {len(points)} points")
    return {label: _point(text, where) for label, text in zip(labels, points, strict=True)}


def _point(text: str, where: str) -> tuple[float, float, float]:
    values = parse_floats(text.encode("latin-1"), "landmarks", where)
    if len(values) != 3 or not (np.abs(values) <= MAX_COORDINATE_MM).all():
        raise ScanError(f"{where}: {text[:40]!a} is no point: the file is damaged")
    x, y, z = values.tolist()
    return x, y, z


def write_lm3(landmarks: Mapping[str, tuple[float, float, float]], scan_name: str) -> bytes:
    """An `.lm3` file, five decimals. Raises `DataError` on a label that Bosphorus does not have."""
    unknown = sorted(set(landmarks) - set(LABELS))
    if unknown:
        raise DataError(f"{unknown[0]!r}: not a Bosphorus landmark; have {', '.join(LABELS)}")
    rows = [f"{label}\n{x:.5f} {y:.5f} {z:.5f}\n" for label, (x, y, z) in landmarks.items()]
    return f"# 3D landmarks of {scan_name}\n\n{len(rows)} landmarks:\n{''.join(rows)}".encode("ascii")
