"""FEI (Thomaz and Giraldi 2010): 200 people, 14 photos each, `1-01.jpg` to `200-14.jpg`, ids unpadded."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from infra.files import atomic_write_text
from models.errors import DataError
from models.readers.listing import Naming, Source, folder_and_name, index_by_name
from models.readers.records import PhotoRecord
from models.readers.tables import read_rows
from models.readers.writing import require_jpeg, write_named

PEOPLE = 200
PHOTOS = 14
GENDERS = "genders.csv"
"""What we call the list that FEI does not publish; it is looked for beside the photos."""

_SUBJECTS = frozenset(map(str, range(1, PEOPLE + 1)))
_LIKE = re.compile(r"\d+(?:-\d+|[ab])\.jpg")
_NAMING = Naming("FEI", "1-01.jpg", re.compile(r"(\d{1,3})(?:-(\d\d)|([ab]))\.jpg"))
_VIEWS: Mapping[str, dict[str, str]] = {
    **{f"{number:02d}": {"view": "rotation"} for number in range(1, 11)},
    "11": {"view": "frontal", "expression": "neutral"},
    "12": {"view": "frontal", "expression": "happy"},
    "13": {"view": "frontal"},
    "14": {"view": "dark"},
    "a": {"view": "aligned", "expression": "neutral"},
    "b": {"view": "aligned", "expression": "happy"},
}


def index_fei(source: Source, genders: Mapping[str, str] | None = None) -> Iterator[PhotoRecord]:
    """Every photo, one at a time; none is opened. The subject is the number before the dash, `1` to `200`.

    `labels` hold `photo` (`01` to `14`, or `a` and `b` of the aligned sets), `view`, and `expression` where it is
    known. FEI publishes no list of genders: give one (see `read_genders`), or they stay unknown. Raises `DataError`
    when there is no photo, or one has a padded or another kind of number.
    """
    known = genders or {}

    def describe(path: str) -> PhotoRecord | None:
        record = describe_fei(path)
        return record and replace(record, gender=known.get(record.subject or ""))

    return index_by_name(source, describe, _NAMING.nothing("the unpacked photos"))


def describe_fei(path: str) -> PhotoRecord | None:
    """What a path says; None when it is another file. Raises `DataError`."""
    name = folder_and_name(path)[1]
    if not _LIKE.fullmatch(name):
        return None
    subject, number, letter = _NAMING.parse(name, path)
    photo = number or letter
    if photo not in _VIEWS or subject not in _SUBJECTS:
        raise _NAMING.misnamed(path)
    return PhotoRecord(path, subject, labels={"photo": photo, **_VIEWS[photo]})


def read_genders(table: Path) -> dict[str, str]:
    """Gender ("f" or "m") by subject from a CSV with the columns `subject` and `gender`.

    Raises `DataError` with file and line on another header, an unknown subject or gender, and a subject listed twice.
    """
    rows = read_rows(table)
    header = next(rows, None)
    if header is None or header.cells != ["subject", "gender"]:
        raise DataError(f"{table}:1: the columns are not subject,gender: give one row a person")
    genders: dict[str, str] = {}
    for where, cells in rows:
        if len(cells) != 2 or cells[1] not in ("f", "m") or cells[0] in genders:
            raise DataError(f"{where}: not a new subject and f or m")
        if cells[0] not in _SUBJECTS:
            raise DataError(f"{where}: {cells[0]!a} is no subject: they are 1 to {PEOPLE}")
        genders[cells[0]] = cells[1]
    return genders


def write_genders(root: Path, genders: Mapping[str, str]) -> None:
    """Write a list that `read_genders` reads, as `genders.csv` in `root`."""
    rows = [f"{subject},{genders[subject]}\n" for subject in sorted(genders, key=int)]
    atomic_write_text(root / GENDERS, "subject,gender\n" + "".join(rows))


def write_fei(root: Path, subject: int, photo: str, jpeg: bytes) -> str:
    """Write one photo under its name; returns it. Raises `DataError` on a number FEI does not have."""
    path = f"{subject}-{photo}.jpg" if photo.isdigit() else f"{subject}{photo}.jpg"
    return write_named(root, path, describe_fei, require_jpeg(jpeg, path))
