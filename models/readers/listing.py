"""Which files a data set has: from its folder or from a listing of it, one at a time, none opened."""

import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from models.errors import DataError
from models.readers.tables import bounded_lines, open_table

Record = TypeVar("Record")
Source = Path | Iterable[str]
"""A data set's folder, or the relative paths of its files (with forward slashes)."""


def list_files(root: Path) -> Iterator[str]:
    """Relative paths of all files below `root` in the order of their text; hidden ones are left out.

    One folder's names are held at a time, and links to folders are followed. Raises `DataError` on a missing or
    unreadable folder and on a link that leads back to a folder above it.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder: check the path")
    return _walk(str(root), "", ())


def _walk(folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            # with its slash a folder sorts as all paths in it do
            names = sorted(e.name + "/" if e.is_dir() else e.name for e in entries if not e.name.startswith("."))
            here = Path(folder).stat()
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}): check its permissions") from None
    identity = (here.st_dev, here.st_ino)
    if identity in above:
        raise DataError(f"{folder}: this link leads back to a folder above it: remove the link")
    for name in names:
        if name.endswith("/"):
            yield from _walk(f"{folder}/{name[:-1]}", prefix + name, (*above, identity))
        else:
            yield prefix + name


def read_listing(path: Path) -> Iterator[str]:
    """The paths in a text file, one a line, as `find . -type f` or `tar -t` print them; folders (`a/`) are left out.

    Raises `DataError` on an unreadable file or an endless line.
    """
    with open_table(path) as file:
        for line in bounded_lines(file, str(path)):
            name = line.rstrip("\r\n")
            if name and not name.endswith("/"):
                yield name


def relative_paths(source: Source) -> Iterator[str]:
    """The paths of a folder or listing; raises `DataError` on one that leaves the data set's root."""
    if isinstance(source, Path):
        return list_files(source)
    return (path for path in map(_plain, source) if not path.startswith(".") and "/." not in path)


def _plain(path: str) -> str:
    plain = path.removeprefix("./")
    if not is_inside(plain):
        raise DataError(f"{shown(path)}: leads out of the data set: list paths relative to its root")
    return plain


def is_inside(path: str) -> bool:
    """Whether a relative path with forward slashes stays below its root."""
    return not path.startswith("/") and (".." not in path or ".." not in path.split("/"))


def index_by_name(source: Source, describe: Callable[[str], Record | None], nothing: str) -> Iterator[Record]:
    """What `describe` says of each path, one at a time; paths of which it says None are other files.

    Raises `DataError` at once when there is none (`nothing` says what was looked for), and on the way what
    `describe` raises or a name that cannot be printed.
    """
    root = f"{source}/" if isinstance(source, Path) else ""
    records = _described(relative_paths(source), describe, root)
    return require_some(records, f"{root.rstrip('/') or 'this listing'}: {nothing}")


def _described(paths: Iterator[str], describe: Callable[[str], Record | None], root: str) -> Iterator[Record]:
    for path in paths:
        try:
            record = describe(path)
        except DataError as error:
            raise DataError(f"{root}{error}") from None
        if record is None:
            continue
        if not path.isprintable():
            raise DataError(
                f"{root}{shown(path)}: a name with control characters or bytes that are no UTF-8: rename it"
            )
        yield record


def require_some(records: Iterator[Record], nothing: str) -> Iterator[Record]:
    """The same records; raises `DataError` at once when there is none."""
    try:
        first = next(records)
    except StopIteration:
        raise DataError(nothing) from None
    return itertools.chain([first], records)


def folder_and_name(path: str) -> tuple[str, str]:
    """The folder a file lies in (empty at the root) and its name."""
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[2], name


def suffix_of(path: str) -> str:
    """The lower-case ending that tells the format, `.obj` or `.abs.gz`; empty when there is none."""
    name = path.rpartition("/")[2].lower()
    stem, dot, suffix = name.rpartition(".")
    if suffix == "gz" and "." in stem:
        return f".{stem.rpartition('.')[2]}.gz"
    return dot + suffix if stem else ""


class Naming(NamedTuple):
    """How a data set names its files: its own name, an example, and the pattern of all of them."""

    data_set: str
    example: str
    pattern: re.Pattern[str]

    def parse(self, text: str, path: str) -> tuple[str, ...]:
        """The parts of `text`, which is all or the end of `path`; raises `DataError` when it does not fit."""
        found = self.pattern.fullmatch(text)
        if found is None:
            raise self.misnamed(path)
        return found.groups(default="")

    def misnamed(self, path: str) -> DataError:
        """What to raise on a name that the data set does not have."""
        return DataError(f"{shown(path)}: not a {self.data_set} name like {self.example}: rename it or move it away")

    def nothing(self, hint: str) -> str:
        """What to say of a folder with no file of this data set."""
        return f"no {self.example} in it: point to the folder that holds {hint}"


def misplaced(path: str, owner: str) -> DataError:
    """What to raise on a file of `owner` that lies in another one's folder."""
    return DataError(f"{shown(path)}: a file of {owner} in the folder of {folder_and_name(path)[0]}: move it")


def shown(path: str) -> str:
    """A path as one printable line."""
    return path if path.isprintable() else ascii(path)
