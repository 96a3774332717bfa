"""The three tables of VGGFace2: who the people are, where the faces lie, where five points on them lie.

The face tables have three million rows, so one pass notes where each person's rows begin and end, and only the rows
of one person are held at a time.
"""

import csv
import math
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from models.errors import DataError
from models.readers.tables import Row, bounded_lines, open_table, read_rows

OVERLAP = "class_overlap_vgg1_2.txt"
"""How the list of people who are in VGGFace1 and in VGGFace2 is called where it is published."""
_IDENTITY = re.compile(r"\bn\d{6}\b")

META_HEADER = ("Class_ID", "Name", "Sample_Num", "Flag", "Gender")
BOX_HEADER = ("NAME_ID", "X", "Y", "W", "H")
LANDMARK_HEADER = ("NAME_ID", *(f"P{point}{axis}" for point in range(1, 6) for axis in "XY"))


class Identity(NamedTuple):
    """One row of `identity_meta.csv`; `training` says in which split the person is."""

    subject: str
    name: str
    samples: int
    training: bool
    gender: str


def read_identities(path: Path) -> dict[str, Identity]:
    """People by subject (`n000002`). A name with bare commas, and a comma at the end of a row, are as published.

    Raises `DataError` with file and line on anything else.
    """
    people: dict[str, Identity] = {}
    rows = read_rows(path)
    _require_header(next(rows, Row("", [])).cells, META_HEADER, path)
    for where, cells in rows:
        if cells[-1] == "":
            cells.pop()
        try:
            subject, *name, samples, flag, gender = cells
            if gender not in ("m", "f") or flag not in ("0", "1") or not name or subject in people:
                raise ValueError
            people[subject] = Identity(subject, ",".join(name), int(samples), flag == "1", gender)
        except ValueError:
            raise DataError(f"{where}: not a new {', '.join(META_HEADER)}: fetch it again") from None
    return people


def find_overlap(root: Path) -> Path | None:
    """The published list of people whom VGGFace1 has too, in the data set's folder or in `meta`; None if not there."""
    places = (root / OVERLAP, root / "meta" / OVERLAP)
    return next((path for path in places if path.is_file()), None)


def read_overlap(path: Path) -> frozenset[str]:
    """The VGGFace2 identities in that list: one of the words of each line below the header.

    Raises `DataError` with the line where none or several are.
    """
    found: set[str] = set()
    with open_table(path) as file:
        for number, line in enumerate(bounded_lines(file, str(path)), start=1):
            named = _IDENTITY.findall(line)
            if len(named) == 1:
                found.add(named[0])
            elif line.strip() and number > 1:
                raise DataError(f"{path}:{number}: not one identity like n000002: fetch it again")
    return frozenset(found)


class FaceTable:
    """Rows of `loose_bb_*.csv` or `loose_landmark_*.csv`, read one person at a time; order does not matter."""

    def __init__(self, path: Path, header: tuple[str, ...]) -> None:
        """Note where each person's rows are. Raises `DataError` on another header or a row without a name."""
        self.path = path
        self.width = len(header) - 1
        # subject -> runs of (first byte, past the last byte, first line)
        self._runs: dict[str, list[tuple[int, int, int]]] = {}
        _require_header(next(read_rows(path), Row("", [])).cells, header, path)
        with path.open("rb") as file:
            self._note_runs(bounded_lines(file, str(path)))

    def _note_runs(self, file: Iterable[bytes]) -> None:
        position, subject, run = 0, "", [0, 0, 0]
        for line_number, line in enumerate(file, start=1):
            end = position + len(line)
            if line_number > 1 and line.strip():
                name = line.split(b"/", 1)[0].strip(b' "').decode("ascii", "replace")
                if name != subject:
                    self._runs.setdefault(subject, []).append((run[0], run[1], run[2]))
                    subject, run = name, [position, end, line_number]
                run[1] = end
            position = end
        self._runs.setdefault(subject, []).append((run[0], run[1], run[2]))

    def of(self, subject: str) -> dict[str, tuple[float, ...]]:
        """The numbers of each of one person's faces, by NAME_ID; `DataError` with file and line on a damaged row."""
        found: dict[str, tuple[float, ...]] = {}
        with self.path.open("rb") as file:
            for start, end, first_line in self._runs.get(subject, []):
                file.seek(start)
                lines = file.read(end - start).decode("utf-8", "replace").split("\n")
                for offset, line in enumerate(lines):
                    if line.strip():
                        name, numbers = self._parse(line, first_line + offset)
                        if name in found:
                            raise DataError(f"{self.path}:{first_line + offset}: {name} is listed twice")
                        found[name] = numbers
        return found

    def _parse(self, line: str, number: int) -> tuple[str, tuple[float, ...]]:
        name, values = "", ()
        with suppress(ValueError, csv.Error):
            name, *cells = next(csv.reader([line.rstrip("\r")], skipinitialspace=True), [""])
            values = tuple(float(cell) for cell in cells)
        if len(values) != self.width or not all(map(math.isfinite, values)):
            message = f"{self.path}:{number}: not a name and {self.width} finite numbers: fetch it again"
            raise DataError(message)
        return name, values


def _require_header(row: list[str], expected: tuple[str, ...], path: Path) -> None:
    if tuple(cell.strip() for cell in row if cell.strip()) != expected:
        raise DataError(f"{path}:1: the columns are not {', '.join(expected)}: not a VGGFace2 table")
