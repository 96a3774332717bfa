"""CSV tables and other text of any size: read line by line, every fault told with file and line."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, AnyStr, NamedTuple, TextIO

from models.errors import DataError

MAX_LINE = 100_000


class Row(NamedTuple):
    """Cells of one row without surrounding blanks, and where it stands (`file:line`)."""

    where: str
    cells: list[str]


def open_table(path: Path) -> TextIO:
    """A text file; bytes that are no UTF-8 become question marks. Raises `DataError` when it cannot be read."""
    try:
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}): check the path") from None


def bounded_lines(file: IO[AnyStr], where: str) -> Iterator[AnyStr]:
    """The lines of an open file; raises `DataError` on one beyond a hundred thousand characters."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise DataError(f"{where}: a line of more than {MAX_LINE} characters: not a table")
        yield line


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a CSV file, quoted or not, blank ones left out. Raises `DataError` with file and line."""
    with open_table(path) as file:
        rows = csv.reader(bounded_lines(file, str(path)), skipinitialspace=True)
        while True:
            try:
                cells = next(rows, None)
            except csv.Error as error:
                raise DataError(f"{path}:{rows.line_num}: {error}: not a CSV table, or damaged") from None
            if cells is None:
                return
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield Row(f"{path}:{rows.line_num}", stripped)
