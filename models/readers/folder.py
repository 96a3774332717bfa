"""Anyone's photos or scans: `<root>/<subject>/<any name>`, with an optional `labels.csv`."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.errors import DataError
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.scans import scan_readers

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".pgm", ".bmp"})
COLUMNS = frozenset({"path", "subject", "expression", "intensity", "yaw_deg", "gender", "session", "role"})


def index_photos(root: Path) -> list[PhotoRecord]:
    """All photos below `root`, ordered by path; none is opened.

    The first folder names the subject; a photo directly in `root` has none, unless `labels.csv` gives it one. Other
    columns of `labels.csv` (expression, intensity, yaw_deg, session, role) become labels.
    Raises `DataError` on a missing or empty folder and, with its line, on a bad row of `labels.csv`.
    """
    return [
        PhotoRecord(path, row.pop("subject", None) or _subject(path), row.pop("gender", None), labels=row)
        for path, row in _labelled(root, PHOTO_SUFFIXES, "photos")
    ]


def index_scans(root: Path) -> list[ScanRecord]:
    """All scans below `root` of a format that `read_scan` knows; otherwise as `index_photos`."""
    suffixes = frozenset(f".{name}" for name in scan_readers)
    records: list[ScanRecord] = []
    for path, row in _labelled(root, suffixes, "scans"):
        intensity = row.pop("intensity", None)
        records.append(
            ScanRecord(
                path,
                row.pop("subject", None) or _subject(path),
                row.pop("gender", None),
                row.pop("expression", None),
                None if intensity is None else int(intensity),
                row,
            )
        )
    return records


def _subject(path: str) -> str | None:
    return path.split("/", 1)[0] if "/" in path else None


def _labelled(root: Path, suffixes: frozenset[str], what: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each file's path and its row of `labels.csv` without empty cells."""
    if not root.is_dir():
        raise DataError(f"{root}: no such folder: point to the one that holds a folder a subject")
    paths = sorted(_files(root, suffixes))
    if not paths:
        raise DataError(f"{root}: no {what} ({', '.join(sorted(suffixes))}) in it or its folders")
    table = root / "labels.csv"
    rows = _read_labels(table, frozenset(_files(root, None))) if table.exists() else {}
    return ((path, rows.get(path, {})) for path in paths)


def _files(root: Path, suffixes: frozenset[str] | None) -> Iterator[str]:
    """Relative paths of files with those suffixes (of any, if None); hidden files and folders are left alone."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and (suffixes is None or Path(name).suffix.lower() in suffixes):
                yield Path(folder, name).relative_to(root).as_posix()


def _read_labels(table: Path, present: frozenset[str]) -> dict[str, dict[str, str]]:
    """Rows by path. Raises `DataError` with the line."""
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        if "path" not in columns or not COLUMNS.issuperset(columns):
            raise DataError(f"{table}:1: columns {columns}; path is needed and {sorted(COLUMNS)} are known")
        rows: dict[str, dict[str, str]] = {}
        for row in reader:
            path, labels = _check_row(row, present, rows, f"{table}:{reader.line_num}")
            rows[path] = labels
    return rows


def _check_row(
    row: dict[Any, Any], present: frozenset[str], seen: dict[str, dict[str, str]], where: str
) -> tuple[str, dict[str, str]]:
    """A row's path and its other cells; `DataError` when a cell is missing, unknown or out of range."""
    if None in row or None in row.values():
        raise DataError(f"{where}: another number of cells than columns")
    cells: dict[str, str] = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    path = cells.pop("path", "")
    if path not in present:
        raise DataError(f"{where}: {path!r} is not there: give paths relative to the folder, with forward slashes")
    if path in seen:
        raise DataError(f"{where}: {path} is listed twice")
    if cells.get("gender", "f") not in ("f", "m"):
        raise DataError(f"{where}: gender {cells['gender']!r}: f, m or empty")
    if cells.get("intensity", "0") not in ("0", "1", "2", "3", "4"):
        raise DataError(f"{where}: intensity {cells['intensity']!r}: 0 to 4 or empty")
    _require_angle(cells.get("yaw_deg", "0"), where)
    return path, cells


def _require_angle(text: str, where: str) -> None:
    try:
        valid = -180 <= float(text) <= 180
    except ValueError:
        valid = False
    if not valid:
        raise DataError(f"{where}: yaw_deg {text!r}: an angle from -180 to 180 or empty")
