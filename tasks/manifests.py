"""Lists of files as the tables that the manifest suite looks at, from whatever lists them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from expectations.manifest import COLUMNS, NAMED, Neutrals
from models.metrics.protocol import Protocol
from models.readers.naming import NAMINGS, named_subject, recognised_naming
from models.readers.records import PhotoRecord, ScanRecord
from registry.catalogue import ManifestRow
from tasks.facts import Found

NEUTRALS: Mapping[str, Neutrals] = {"bu3dfe": "one", "bosphorus": "some"}
"""Data sets whose protocol enrols a neutral face of everyone; FRGC v2 and BU-4DFE enrol the first recording."""
IN_MILLIMETRES = frozenset({"bosphorus", "bu3dfe", "bu4dfe", "frgc"})
"""Data sets whose scans are in mm by definition; of others only the size tells."""
SAMPLE = 1000


def manifest_frame(rows: Iterable[ManifestRow], data_set: str | None) -> pd.DataFrame:
    """A row a file, with `named`, the person that its name says, where `data_set` names its files so."""
    columns: dict[str, list[Any]] = {column: [] for column in COLUMNS}
    for row in rows:
        for column in COLUMNS[:-1]:
            columns[column].append(getattr(row, column))
        columns["expression"].append(row.labels.get("expression"))
    frame = pd.DataFrame(columns)
    if data_set is not None:
        frame[NAMED] = pd.Series([named_subject(data_set, path) for path in frame["path"]], dtype="str")
    return frame


def naming_of(stated: str, paths: Sequence[str]) -> tuple[str | None, bool]:
    """The data set that says whose file it is by its name, and whether it was stated or only recognised."""
    if stated in NAMINGS:
        return stated, True
    return recognised_naming(paths[:SAMPLE]), False


def scan_rows(
    records: Sequence[ScanRecord], found: Sequence[Found], protocol: Protocol | None = None
) -> Iterable[ManifestRow]:
    """Scans as they were found, each in the role that a protocol gives it."""
    role = (
        dict.fromkeys(protocol.gallery_ids, "gallery") | dict.fromkeys(protocol.probe_ids, "probe") if protocol else {}
    )
    for record, now in zip(records, found, strict=True):
        labels = {**record.labels, **({"expression": record.expression} if record.expression else {})}
        yield ManifestRow(
            path=record.path,
            sha256=now.sha256 or "",
            subject=record.subject,
            role=role.get(record.path, "excluded"),
            size_bytes=now.size_bytes or 0,
            labels=labels,
            failure=None if now.sha256 else "no such file",
        )


def photo_rows(
    records: Sequence[PhotoRecord], found: Sequence[Found], sizes: Mapping[str, tuple[int, int]], role: str
) -> Iterable[ManifestRow]:
    """Photos as they were found; `sizes` are (width, height) by path, of those that can be read."""
    for record, now in zip(records, found, strict=True):
        width, height = sizes.get(record.path, (None, None))
        yield ManifestRow(
            path=record.path,
            sha256=now.sha256 or "",
            subject=record.subject,
            role=role,
            size_bytes=now.size_bytes or 0,
            width=width,
            height=height,
            labels=record.labels,
            points=record.five_points,
            failure=None if width else "cannot be read",
        )
