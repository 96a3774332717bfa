"""Fills one block of checked files: each hashed, and opened to see that it can be read; runs in a worker process."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from infra.files import sha256_bytes, sha256_file
from models.errors import PhotoError, ScanError
from models.photos.decoding import decode_photo, read_photo_bytes
from models.photos.headers import read_header
from models.readers.datasets import data_sets
from models.readers.pictures import require_not_black
from tasks.files import read_table, write_table

AT_ONCE = 16
"""Files a thread takes at a time: handing over one costs as much as hashing a small one."""


class Fact(NamedTuple):
    """What a file is, whatever its name says: its hash, its size, and why it gives nothing, if so.

    `width` and `height` are a photo's, upright; a file that is not there has no hash and no bytes.
    """

    path: str
    sha256: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    failure: str | None = None


def build_checks(folder: Path, paths: list[str], data_set: str, parse: bool, root: Path, threads: int) -> None:
    """Write `facts.csv`, a row for each of `paths` below `root`, in their order.

    `data_set` names the reader; with `parse` every file is read whole, without it a photo's header only and a scan
    not at all.
    """
    few = [paths[start : start + AT_ONCE] for start in range(0, len(paths), AT_ONCE)]
    with ThreadPoolExecutor(threads) as pool:
        checked = pool.map(partial(_check_files, root, data_set, parse), few)
        facts = [fact for part in checked for fact in part]
    write_table(folder / "facts.csv", Fact._fields, [["" if cell is None else cell for cell in fact] for fact in facts])


def _check_files(root: Path, data_set: str, parse: bool, paths: list[str]) -> list[Fact]:
    return [check_file(root, path, data_set=data_set, parse=parse) for path in paths]


def read_facts(folder: Path) -> list[Fact]:
    """What `build_checks` wrote."""
    return [_fact(*cells) for cells in read_table(folder / "facts.csv")]


def _fact(path: str, sha256: str, size: str, width: str, height: str, failure: str) -> Fact:
    across, down = (int(side) if side else None for side in (width, height))
    return Fact(path, sha256, int(size), across, down, failure or None)


def check_file(root: Path, path: str, *, data_set: str, parse: bool) -> Fact:
    """The facts of one file; whatever is wrong with it becomes its `failure`."""
    known = data_sets[data_set]
    fact = _photo(root / path, path, parse) if known.read is None else _hashed(root / path, path)
    if fact.failure is None and known.read is not None and parse:
        try:
            known.read(root / path)
        except ScanError as error:
            fact = fact._replace(failure=str(error))
    return fact._replace(failure=fact.failure and fact.failure.replace(f"{root}/", ""))


def _photo(file: Path, path: str, parse: bool) -> Fact:
    try:
        raw = read_photo_bytes(file)
    except PhotoError as error:
        return _hashed(file, path)._replace(failure=str(error))
    fact = Fact(path, sha256_bytes(raw), len(raw))
    try:
        if not parse:
            header = read_header(raw, str(file))
            return fact._replace(width=header.width, height=header.height)
        height, width = require_not_black(decode_photo(raw, str(file))).pixels.shape[:2]
    except PhotoError as error:
        return fact._replace(failure=str(error))
    return fact._replace(width=width, height=height)


def _hashed(file: Path, path: str) -> Fact:
    try:
        if not file.is_file():  # also keeps pipes and devices from blocking
            raise FileNotFoundError(2, "no such file")
        return Fact(path, sha256_file(file), file.stat().st_size)
    except OSError as error:
        return Fact(path, "", 0, failure=f"{path}: cannot be read ({error.strerror}); check its permissions")
