"""What a protocol needs to know of an indexed scan or photo; the records of the readers have it."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from models.errors import DataError

EMOTIONS = ("angry", "disgusted", "afraid", "happy", "sad", "surprised")
"""The six expressions of Ekman in the words that all data sets share; the seventh is "neutral"."""


@runtime_checkable
class Indexed(Protocol):
    """A file: its path within the data set, whose face it shows, and what else its name says."""

    @property
    def path(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


@runtime_checkable
class IndexedScan(Indexed, Protocol):
    """A scan, and what the face does, by word and intensity (0 to 4)."""

    @property
    def expression(self) -> str | None: ...
    @property
    def intensity(self) -> int | None: ...


@runtime_checkable
class IndexedPhoto(Indexed, Protocol):
    """A photo; what the face does is among its labels."""

    @property
    def gender(self) -> str | None: ...


def label_of(record: Indexed, name: str) -> str:
    """One label; raises `DataError` on the record of another data set, which lacks it."""
    if name not in record.labels:
        raise DataError(f"{record.path}: has no {name}: index the data set with its own reader")
    return record.labels[name]
