"""Where a data set is, and the stream of what is listed of it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

from models.errors import DataError, UnknownPlugin
from models.readers.datasets import UNKNOWN_LICENCE, DataSet, data_sets
from models.readers.folder import Kinds, count_kinds, index_manifest
from models.readers.records import FivePoints, PhotoRecord, ScanRecord
from models.readers.relabelling import read_label_table, relabelled
from registry.manifest import Kind
from tasks.files import read_table

FOLDER, MANIFEST = "folder", "manifest"
SIMULATED = "simulated "
"""How the data sets of the face world are called: the format's name comes after it, the people are other ones."""
LONGEST_NAME = 200
OWN = ("photos", "scans", MANIFEST)
"""What is the user's own: its people are known by the name that the user gave the snapshot."""

Record = PhotoRecord | ScanRecord


class Source(NamedTuple):
    """A data set on disk: its name in the catalogue, the folder its paths start from, and tables that go with it.

    `table` is the CSV of a manifest, `labels` one that says more of files or people than their names do, `points` one
    with the five points of photos (path, then x and y of each) that the data set itself does not have.
    """

    data_set: str
    root: Path
    kind: Kind
    table: Path | None = None
    labels: Path | None = None
    points: Path | None = None

    def reading(self) -> DataSet:
        """How its files are read; a manifest's are anyone's photos or scans."""
        return reading_of(self.data_set, self.kind)

    def records(self) -> Iterator[Record]:
        """Every file, one at a time, none opened. Raises what the index of the data set raises."""
        found: Iterable[Record]
        if self.table is None:
            found = data_sets[self.data_set].index(self.root)
        else:
            found = self._of_one_kind(index_manifest(self.table))
        if self.labels is not None:
            found = relabelled(found, read_label_table(self.root, self.labels))
        return iter(found) if self.points is None else _with_points(found, self.points)

    def _of_one_kind(self, found: Iterable[Record]) -> Iterator[Record]:
        for record in found:
            if isinstance(record, PhotoRecord) != (self.kind == "photo"):
                raise DataError(f"{self.table}: {record.path}: lists photos and scans: make a table of each")
            yield record


def _with_points(records: Iterable[Record], table: Path) -> Iterator[Record]:
    known = {path: [float(number) for number in numbers] for path, *numbers in read_table(table)}
    for record in records:
        if isinstance(record, PhotoRecord) and record.path in known:
            numbers = known[record.path]
            pairs = tuple(zip(numbers[0::2], numbers[1::2], strict=True))
            yield replace(record, five_points=cast(FivePoints, pairs))
        else:
            yield record


def reading_of(data_set: str, kind: str) -> DataSet:
    """How the files of a data set are read, by the name a snapshot gives it."""
    name = data_set.removeprefix(SIMULATED)
    return data_sets[name] if name in list(data_sets) else data_sets["photos" if kind == "photo" else "scans"]


def open_source(data_set: str, folder: Path, labels: Path | None = None) -> Source:
    """The source called `data_set` at `folder`, once there is something in it.

    `data_set` is a name of the catalogue, `folder` (photos or scans, whichever it holds) or `manifest` (a CSV file).
    Raises `DataError` or `UnknownPlugin` on a wrong name, a missing or empty folder, or a table that cannot be read.
    """
    where = folder.expanduser().absolute()
    table = labels.expanduser().absolute() if labels is not None else None
    if data_set == MANIFEST:
        found = _open_manifest(where, table)
    else:
        require_data_set(data_set)
        name = which_kind(where) if data_set == FOLDER else data_set
        found = Source(name, where, data_sets[name].kind, labels=table)
    next(iter(found.records()))  # all indices refuse an empty or missing folder at once
    return found


def require_data_set(name: str) -> None:
    """Raise `UnknownPlugin`, naming those there are, unless `name` can be asked for."""
    known = [*data_sets, FOLDER, MANIFEST]
    if name not in known:
        raise UnknownPlugin(f"no data set {name!r}; have {', '.join(known)}")


def _open_manifest(table: Path, labels: Path | None) -> Source:
    first = next(index_manifest(table))
    return Source(MANIFEST, table.parent, "photo" if isinstance(first, PhotoRecord) else "scan", table, labels)


def which_kind(root: Path) -> str:
    """`scans` when there is any scan in the folder, else `photos`: pictures beside scans are their textures."""
    kinds = count_kinds(root)
    if kinds == Kinds(0, 0):
        raise DataError(f"{root}: neither photos nor scans in it or its folders: check the path")
    return "scans" if kinds.scans else "photos"


def licence_of(source: Source, given: str | None) -> str:
    """What was given, else the data set's own: the agreement a laboratory signed, or `unknown` for one's own data."""
    return given or (UNKNOWN_LICENCE if source.data_set in OWN else source.reading().licence)


def name_of(source: Source, given: str | None) -> str:
    """What was given, else the name of the folder or of the manifest."""
    own = source.table.stem if source.table is not None else source.root.name
    return given or own[:LONGEST_NAME] or source.data_set
