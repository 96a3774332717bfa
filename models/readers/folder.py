"""Anyone's photos or scans: `<root>/<subject>/<any name>` with an optional `labels.csv`, or a manifest CSV alone."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from models.errors import DataError
from models.readers.labels import LabelRow, photo_record, read_labels, scan_record
from models.readers.listing import Source, index_by_name, is_inside, list_files, require_some, shown, suffix_of
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.scans import scan_readers

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".pgm", ".bmp"})
Record = TypeVar("Record")


def index_photos(source: Source) -> Iterator[PhotoRecord]:
    """All photos of a folder or listing, one at a time in the order of their paths; none is opened.

    The first folder names the subject; a photo directly in the root has none, unless `labels.csv` gives it one. Other
    columns of `labels.csv` (expression, intensity, yaw_deg, session, role) become labels.
    Raises `DataError` at once on a missing or empty folder and, with its line, on a bad row of `labels.csv`.
    """
    return _index(source, PHOTO_SUFFIXES, "photos", photo_record)


def index_scans(source: Source) -> Iterator[ScanRecord]:
    """All scans of a format that `read_scan` knows; otherwise as `index_photos`."""
    return _index(source, scan_suffixes(), "scans", scan_record)


def scan_suffixes() -> frozenset[str]:
    """The endings of all files that `read_scan` knows."""
    return frozenset(f".{name}" for name in scan_readers)


class Kinds(NamedTuple):
    """How many photos and how many scans a folder holds."""

    photos: int
    scans: int


def count_kinds(root: Path) -> Kinds:
    """Count the files of both kinds by their endings; none is opened. Raises `DataError` on a missing folder."""
    photos = scans = 0
    known = scan_suffixes()
    for path in list_files(root):
        suffix = suffix_of(path)
        photos += suffix in PHOTO_SUFFIXES
        scans += suffix in known
    return Kinds(photos, scans)


def _index(
    source: Source, suffixes: frozenset[str], what: str, build: Callable[[str, Mapping[str, str]], Record]
) -> Iterator[Record]:
    labels: dict[str, dict[str, str]] = {}
    if isinstance(source, Path):
        list_files(source)  # a missing folder is told before its missing table
        table = source / "labels.csv"
        labels = read_labels_of(source, table) if table.exists() else {}

    def describe(path: str) -> Record | None:
        return build(path, labels.get(path, {})) if suffix_of(path) in suffixes else None

    return index_by_name(source, describe, f"no {what} ({', '.join(sorted(suffixes))}) in it or its folders")


def read_labels_of(root: Path, table: Path) -> dict[str, dict[str, str]]:
    """The rows of a table by path; `DataError` with the line of a file that is not there or is listed twice."""
    rows: dict[str, dict[str, str]] = {}
    for where, path, cells in read_labels(table):
        if not is_inside(path) or not _is_file(root / path):
            raise DataError(f"{where}: {path!a} is not there: give paths relative to the folder, with forward slashes")
        if path in rows:
            raise DataError(f"{where}: {path} is listed twice")
        rows[path] = cells
    return rows


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for any file
        return False


def index_manifest(table: Path) -> Iterator[PhotoRecord | ScanRecord]:
    """What a CSV with the columns of `labels.csv` lists, one at a time; paths are relative to the CSV's folder.

    Nothing is opened or looked for: a file that is not there fails when it is read, a path listed twice when it is
    stored. Raises `DataError`, with the line, on a path that leaves the folder or is neither photo nor scan.
    """
    scans = scan_suffixes()
    return require_some((_listed(row, scans) for row in read_labels(table)), f"{table}: lists no file")


def _listed(row: LabelRow, scans: frozenset[str]) -> PhotoRecord | ScanRecord:
    if not row.path or not is_inside(row.path) or not row.path.isprintable():
        raise DataError(f"{row.where}: {row.path!a}: give paths relative to the table's folder, with forward slashes")
    suffix = suffix_of(row.path)
    if suffix in PHOTO_SUFFIXES:
        return photo_record(row.path, row.cells)
    if suffix in scans:
        return scan_record(row.path, row.cells)
    raise DataError(f"{row.where}: {shown(row.path)}: neither a photo nor a scan that can be read")
