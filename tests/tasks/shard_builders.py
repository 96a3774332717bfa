"""What shards do in these tests; a module of its own, so that Dask's processes can import it."""

import os
from pathlib import Path

from models.errors import ScanError


def write_square(folder: Path, number: int) -> None:
    (folder / "square.txt").write_text(str(number * number))


def refuse_threes(folder: Path, number: int) -> None:
    if number == 3:
        (folder / "half.txt").write_text("half")
        raise ScanError("three.obj: not a face; scan it again")
    write_square(folder, number)


def die_once(folder: Path, number: int, marks: str) -> None:
    """The first process that meets number 2 dies on the spot, as one that runs out of memory."""
    mark = Path(marks) / "died"
    if number == 2 and not mark.exists():
        mark.touch()
        os._exit(9)
    write_square(folder, number)
