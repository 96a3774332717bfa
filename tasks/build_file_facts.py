"""Fills one shard of facts about photos or scans, one file in memory at a time; runs in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from models.errors import PhotoError, ScanError, UnknownPlugin
from models.facts.photos import PhotoFacts, photo_facts
from models.facts.scans import UNITS_MM, ScanFacts, scan_facts
from models.photos.decoding import read_photo
from models.readers.listing import suffix_of
from models.readers.scans import IN_MILLIMETRES, scan_readers
from models.readers.units import to_millimetres
from tasks.frames import FACTS, save_frame

WORDS = ("path", "failure", "unit", "read_as")


def build_photo_facts(folder: Path, root: Path, paths: Sequence[str]) -> None:
    """Facts of the pixels of each photo, or why it cannot be read."""
    rows: list[tuple[object, ...]] = []
    for path in paths:
        try:
            rows.append((path, None, *photo_facts(read_photo(root / path).pixels)))
        except PhotoError as error:
            rows.append((path, _without(root, error), *_none(PhotoFacts)))
    _save(folder, ("path", "failure", *PhotoFacts._fields), rows)


def build_scan_facts(folder: Path, root: Path, paths: Sequence[str], in_mm: bool) -> None:
    """Facts of each mesh as it is in its file, the unit its reader takes it to be in, or why it cannot be read.

    `in_mm`: the data set is in mm by definition; else the reader guesses the unit where the format leaves it open.
    """
    rows: list[tuple[object, ...]] = []
    for path in paths:
        try:
            rows.append((path, None, *_scan_row(root / path, in_mm)))
        except ScanError as error:
            rows.append((path, _without(root, error), *_none(ScanFacts), None))
    _save(folder, ("path", "failure", *ScanFacts._fields, "read_as"), rows)


def _scan_row(path: Path, in_mm: bool) -> tuple[object, ...]:
    kind = suffix_of(path.name).lstrip(".")
    try:
        reader = scan_readers[kind]
    except UnknownPlugin:
        raise ScanError(f"{path}: not a scan; {', '.join(scan_readers)} are read") from None
    scan = reader(path)
    known = in_mm or kind in IN_MILLIMETRES
    factor = 1.0 if known else to_millimetres(scan.vertices, str(path))[1]
    read_as = next(name for name, mm in UNITS_MM.items() if mm == factor)
    return (*scan_facts(scan, factor), read_as)


def _save(folder: Path, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Of one schema in all shards, also where nothing or everything of one failed."""
    frame = pd.DataFrame(rows, columns=list(columns))
    save_frame(folder / FACTS, frame.astype({name: "str" if name in WORDS else "float64" for name in columns}))


def _none(kind: type[NamedTuple]) -> tuple[None, ...]:
    return (None,) * len(kind._fields)


def _without(root: Path, error: Exception) -> str:
    return str(error).replace(f"{root}/", "")
