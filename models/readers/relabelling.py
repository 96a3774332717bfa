"""A table beside a data set that says more of its files, or of its people, than their names do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from models.errors import DataError
from models.readers.folder import read_labels_of
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.tables import read_rows

PEOPLE_COLUMNS = ["subject", "gender"]


class Labels(NamedTuple):
    """Cells of a table: of files by path, or of people by subject."""

    table: Path
    files: Mapping[str, Mapping[str, str]]
    people: Mapping[str, Mapping[str, str]]


def read_label_table(root: Path, table: Path) -> Labels:
    """A table of files (the columns of `labels.csv`, paths relative to `root`) or of people (`subject,gender`).

    FEI, for one, publishes no genders: a table of people gives them. Raises `DataError`, with the line, on another
    header, a value out of range, a file that is not there, or a file or person listed twice.
    """
    header = next(read_rows(table), None)
    if header is not None and header.cells == PEOPLE_COLUMNS:
        return Labels(table, {}, _read_people(table))
    return Labels(table, read_labels_of(root, table), {})


def _read_people(table: Path) -> dict[str, dict[str, str]]:
    people: dict[str, dict[str, str]] = {}
    rows = read_rows(table)
    next(rows)
    for where, cells in rows:
        if len(cells) != 2 or not cells[0] or cells[1] not in ("f", "m") or cells[0] in people:
            raise DataError(f"{where}: not a new subject and f or m")
        people[cells[0]] = {"gender": cells[1]}
    return people


def relabelled(records: Iterable[PhotoRecord | ScanRecord], labels: Labels) -> Iterator[PhotoRecord | ScanRecord]:
    """The same records with what the table says of them; where both say something, the table does.

    Raises `DataError` at the end when the table lists a file, or a person, that is not in the data set.
    """
    files, people = set(labels.files), set(labels.people)
    for record in records:
        files.discard(record.path)
        people.discard(record.subject or "")
        of_person = labels.people.get(record.subject or "", {})
        yield _with_cells(record, {**of_person, **labels.files.get(record.path, {})})
    if unmet := sorted(files | people):
        more = f" and {len(unmet) - 1} more" if len(unmet) > 1 else ""
        raise DataError(f"{labels.table}: {unmet[0]}{more}: not in this data set: correct the table")


def _with_cells(record: PhotoRecord | ScanRecord, cells: Mapping[str, str]) -> PhotoRecord | ScanRecord:
    if not cells:
        return record
    rest = dict(cells)
    subject, gender = rest.pop("subject", record.subject), rest.pop("gender", record.gender)
    if isinstance(record, PhotoRecord):
        return replace(record, subject=subject, gender=gender, labels={**record.labels, **rest})
    expression, intensity = rest.pop("expression", record.expression), rest.pop("intensity", record.intensity)
    return replace(
        record,
        subject=subject,
        gender=gender,
        expression=expression,
        intensity=None if intensity is None else int(intensity),
        labels={**record.labels, **rest},
    )
