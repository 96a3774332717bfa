"""What shards do in these tests; a module of its own, so that Dask's processes can import it."""

import os
import time
from pathlib import Path

import numpy as np

from models.errors import ScanError


def write_square(folder: Path, number: int) -> None:
    (folder / "square.txt").write_text(str(number * number))


def write_slowly(folder: Path, number: int, seconds: float) -> None:
    """A few files whose bytes depend on the number alone."""
    for part in range(3):
        np.save(folder / f"{part}.npy", np.random.default_rng([number, part]).normal(size=1000))
        time.sleep(seconds / 3)


def refuse_threes(folder: Path, number: int) -> None:
    if number == 3:
        (folder / "half.txt").write_text("half")
        raise ScanError("three.obj: not a face; scan it again")
    write_square(folder, number)


def refuse_all_but_one(folder: Path, number: int) -> None:
    if number != 1:
        raise ScanError(f"{number}.obj: not a face; scan it again")
    write_square(folder, number)


def fail_at_first(folder: Path, number: int, marks: str) -> None:
    """A disk that is busy once: an error that a second try mends."""
    mark = Path(marks) / f"failed-{number}"
    if number == 2 and not mark.exists():
        mark.touch()
        raise OSError("try again")
    write_square(folder, number)


def die_once(folder: Path, number: int, marks: str) -> None:
    """The first process that meets number 2 dies on the spot, as one that runs out of memory."""
    mark = Path(marks) / "died"
    if number == 2 and not mark.exists():
        mark.touch()
        os._exit(9)
    write_square(folder, number)


def die_on_twos(folder: Path, number: int) -> None:
    """Every process that meets number 2 dies."""
    if number == 2:
        os._exit(9)
    write_square(folder, number)


def copy_numbers(folder: Path, source: Path, beside: Path) -> None:
    """Reads an input from the store and a file below the home."""
    (folder / "sum.txt").write_text((source / "square.txt").read_text() + beside.read_text())
