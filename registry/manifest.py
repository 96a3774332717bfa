"""What a snapshot lists: one row a file, and the hash of everything a row says. Pure: knows no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from infra.files import canonical_json, sha256_bytes

Kind = Literal["photo", "scan"]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ManifestRow:
    """One file: where it is, what it holds, whose face it shows.

    `points` are the five face points as (x, y) in the pixel frame; `failure` says why a file gave nothing. A file that
    could not even be read has an empty `sha256`.
    """

    path: str
    sha256: str
    subject: str | None
    role: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    labels: Mapping[str, Any] = field(default_factory=dict[str, Any])
    points: Points | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """A list of files; `id` covers kind, licence, data set and every row, not name, source and date.

    `data_set` is whose format and whose people these are, `source` where the files were when they were listed.
    """

    id: str
    name: str
    kind: str
    licence: str
    source: str
    rows: int
    data_set: str = ""
    created: datetime | None = None


def row_digest(row: ManifestRow) -> str:
    """SHA-256 of everything a row says."""
    return sha256_bytes(canonical_json(vars(row)).encode())
