"""What an index says of a file and what was found in it, as one row of a manifest; and back again."""

from collections.abc import Mapping
from typing import Any, cast

from models.readers.records import FivePoints, PhotoRecord, ScanRecord
from registry.manifest import ManifestRow
from tasks.build_checks import Fact

Record = PhotoRecord | ScanRecord


def manifest_row(record: Record, fact: Fact, role: str) -> ManifestRow:
    """One row; `role` is that of files of which no label says another one."""
    labels: dict[str, Any] = dict(record.labels)
    role = labels.pop("role", role)
    said: dict[str, Any] = {"gender": record.gender}
    points = None
    if isinstance(record, ScanRecord):
        said |= {"expression": record.expression, "intensity": record.intensity}
    elif record.five_points is not None:
        points = tuple((float(x), float(y)) for x, y in record.five_points)
    return ManifestRow(
        path=record.path,
        sha256=fact.sha256,
        subject=record.subject,
        role=role,
        size_bytes=fact.size_bytes,
        width=fact.width,
        height=fact.height,
        labels={**labels, **{name: value for name, value in said.items() if value is not None}},
        points=points,
        failure=fact.failure,
    )


def record_of(row: ManifestRow, kind: str) -> Record:
    """What the index said, for protocols and readers; the box of a photo's face is not kept in manifests."""
    labels: dict[str, Any] = dict(row.labels)
    gender = labels.pop("gender", None)
    if kind == "photo":
        points = cast(FivePoints | None, row.points)
        return PhotoRecord(row.path, row.subject, gender, points, labels=_words(labels))
    expression, intensity = labels.pop("expression", None), labels.pop("intensity", None)
    return ScanRecord(row.path, row.subject, gender, expression, intensity, _words(labels))


def _words(labels: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in labels.items()}
