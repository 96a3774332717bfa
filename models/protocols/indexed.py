"""What a protocol needs to know of an indexed scan or photo; the records of the readers have it."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

EMOTIONS = ("angry", "disgusted", "afraid", "happy", "sad", "surprised")
"""The six expressions of Ekman in the words that all data sets share; the seventh is "neutral"."""


@runtime_checkable
class IndexedScan(Protocol):
    """A scan: its path within the data set, whose face it is, what the face does, and what else its name says."""

    @property
    def path(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def expression(self) -> str | None: ...
    @property
    def intensity(self) -> int | None: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


@runtime_checkable
class IndexedPhoto(Protocol):
    """A photo; what the face does is among its labels."""

    @property
    def path(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def gender(self) -> str | None: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
