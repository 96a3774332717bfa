"""What a user's own table says of photos and scans: one row a file, the same columns everywhere."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from models.errors import DataError
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.tables import Row, read_rows

COLUMNS = frozenset({"path", "subject", "expression", "intensity", "yaw_deg", "gender", "session", "role"})
_GENDERS = ("f", "m")
_INTENSITIES = ("0", "1", "2", "3", "4")


class LabelRow(NamedTuple):
    """One row of a label table: where it stands, the file's path and its other cells, empty ones left out."""

    where: str
    path: str
    cells: dict[str, str]


def read_labels(table: Path) -> Iterator[LabelRow]:
    """Rows of a CSV with the column `path` and any of `COLUMNS`, one at a time.

    Raises `DataError`, with file and line, on another column, another number of cells, or a value out of range.
    """
    rows = read_rows(table)
    header = next(rows, Row(f"{table}:1", []))
    columns = header.cells
    if "path" not in columns or not COLUMNS.issuperset(columns) or len(set(columns)) < len(columns):
        raise DataError(f"{table}:1: columns {columns}; path is needed and {sorted(COLUMNS)} are known, once each")
    return (_checked(row, columns) for row in rows)


def _checked(row: Row, columns: list[str]) -> LabelRow:
    if len(row.cells) != len(columns):
        raise DataError(f"{row.where}: another number of cells than columns")
    cells = {name: cell for name, cell in zip(columns, row.cells, strict=True) if cell}
    path = cells.pop("path", "")
    if cells.get("gender", "f") not in _GENDERS:
        raise DataError(f"{row.where}: gender {cells['gender']!a}: f, m or empty")
    if cells.get("intensity", "0") not in _INTENSITIES:
        raise DataError(f"{row.where}: intensity {cells['intensity']!a}: 0 to 4 or empty")
    if unprintable := next((name for name, cell in cells.items() if not cell.isprintable()), None):
        raise DataError(f"{row.where}: {unprintable} {cells[unprintable]!a}: a cell with control characters")
    _require_angle(cells.get("yaw_deg", "0"), row.where)
    return LabelRow(row.where, path, cells)


def _require_angle(text: str, where: str) -> None:
    try:
        valid = -180 <= float(text) <= 180
    except ValueError:
        valid = False
    if not valid:
        raise DataError(f"{where}: yaw_deg {text!a}: an angle from -180 to 180 or empty")


def photo_record(path: str, cells: Mapping[str, str]) -> PhotoRecord:
    """The record of a photo with those labels; the first folder is the subject unless they name one."""
    labels = dict(cells)
    subject = labels.pop("subject", None) or _first_folder(path)
    return PhotoRecord(path, subject, labels.pop("gender", None), labels=labels)


def scan_record(path: str, cells: Mapping[str, str]) -> ScanRecord:
    """The record of a scan with those labels; otherwise as `photo_record`."""
    labels = dict(cells)
    subject, gender = labels.pop("subject", None) or _first_folder(path), labels.pop("gender", None)
    expression, intensity = labels.pop("expression", None), labels.pop("intensity", None)
    return ScanRecord(path, subject, gender, expression, None if intensity is None else int(intensity), labels)


def _first_folder(path: str) -> str | None:
    return path.split("/", 1)[0] if "/" in path else None
