"""Snapshots of data: immutable lists of photos or scans, named by the hash of what they list."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Engine, Select, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from infra.database import reading, writing
from infra.files import canonical_json, sha256_bytes
from registry.errors import RegistryError
from registry.tables import SnapshotRecord, SnapshotRowRecord

BATCH = 1000
Kind = Literal["photo", "scan"]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ManifestRow:
    """One file: where it is, what it holds, whose face it shows.

    `points` are the five face points as (x, y) in the pixel frame; `failure` says why a file gave nothing.
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
    """A list of files; `id` covers kind, licence and every row, not name and source."""

    id: str
    name: str
    kind: str
    licence: str
    source: str
    rows: int


def add_snapshot(
    engine: Engine, rows: Iterable[ManifestRow], *, name: str, kind: Kind, licence: str, source: str
) -> Snapshot:
    """Store a snapshot; the same content again gives the first one and no second copy.

    Rows are streamed: memory does not grow with their number. Raises `RegistryError` on a repeated path.
    """
    with writing(engine) as session:
        record = SnapshotRecord(id=_provisional(), name=name, kind=kind, licence=licence, source=source, rows=0)
        session.add(record)
        session.flush()
        count = _insert_rows(session, record.number, rows)
        snapshot_id = _hash_rows(kind, licence, _digests(session, record.number))
        existing = session.scalar(select(SnapshotRecord).where(SnapshotRecord.id == snapshot_id))
        if existing is not None:
            session.delete(record)
            return _snapshot(existing)
        record.id, record.rows = snapshot_id, count
        return _snapshot(record)


def find_snapshot(engine: Engine, snapshot_id: str) -> Snapshot:
    """A snapshot by its id or an unambiguous start of it; raises `RegistryError` otherwise."""
    with reading(engine) as session:
        return _snapshot(_record(session, snapshot_id))


def list_snapshots(engine: Engine) -> tuple[Snapshot, ...]:
    """All snapshots, the newest last."""
    with reading(engine) as session:
        return tuple(_snapshot(record) for record in session.scalars(select(SnapshotRecord).order_by("number")))


def load_rows(engine: Engine, snapshot_id: str, roles: Sequence[str] | None = None) -> Iterator[ManifestRow]:
    """The rows of a snapshot in a fixed order (by their digest), all or of some roles; streamed."""
    with reading(engine) as session:
        query = _rows_query(_record(session, snapshot_id).number)
        if roles is not None:
            query = query.where(SnapshotRowRecord.role.in_(roles))
        with closing(session.scalars(query.execution_options(yield_per=BATCH))) as records:
            yield from map(_row, records)


def verify_snapshot(engine: Engine, snapshot_id: str) -> None:
    """Hash everything again; raises `RegistryError` when a row was changed, added, removed or relabelled."""
    with reading(engine) as session:
        record = _record(session, snapshot_id)
        query = _rows_query(record.number).execution_options(yield_per=BATCH)
        with closing(session.scalars(query)) as stored:
            changed = next((row.path for row in stored if row.digest != row_digest(_row(row))), None)
        digests = _digests(session, record.number)
        if changed is not None or _hash_rows(record.kind, record.licence, digests) != record.id:
            where = f"row {changed!r} was changed" if changed else "rows were added, removed or relabelled"
            raise RegistryError(f"snapshot {record.id[:12]} ({record.name}): {where}; ingest it anew")


def snapshots_with(engine: Engine, subject: str) -> tuple[Snapshot, ...]:
    """Every snapshot that shows a person."""
    numbers = select(SnapshotRowRecord.snapshot).where(SnapshotRowRecord.subject == subject)
    with reading(engine) as session:
        found = session.scalars(select(SnapshotRecord).where(SnapshotRecord.number.in_(numbers)).order_by("number"))
        return tuple(_snapshot(record) for record in found)


def delete_snapshot(engine: Engine, snapshot_id: str) -> None:
    """Forget a snapshot and its rows; `infra.database.compact` then removes the last trace."""
    with writing(engine) as session:
        number = _record(session, snapshot_id).number
        session.execute(delete(SnapshotRowRecord).where(SnapshotRowRecord.snapshot == number))
        session.execute(delete(SnapshotRecord).where(SnapshotRecord.number == number))


def row_digest(row: ManifestRow) -> str:
    """SHA-256 of everything a row says."""
    return sha256_bytes(canonical_json(asdict(row)).encode())


def _insert_rows(session: Session, number: int, rows: Iterable[ManifestRow]) -> int:
    count = 0
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, BATCH)):
        try:
            session.execute(insert(SnapshotRowRecord), [_values(number, row) for row in batch])
        except IntegrityError:
            start = f"in or before the {len(batch)} rows that begin with {batch[0].path!r}"
            raise RegistryError(f"a path is listed twice {start}: list every file once") from None
        count += len(batch)
    return count


def _values(number: int, row: ManifestRow) -> dict[str, Any]:
    try:
        return {"snapshot": number, "digest": row_digest(row), **asdict(row), "labels": dict(row.labels)}
    except (TypeError, ValueError) as error:
        raise RegistryError(f"{row.path!r} cannot be stored ({error}): use plain JSON values and UTF-8 names") from None


def _digests(session: Session, number: int) -> Iterator[str]:
    digest = SnapshotRowRecord.digest
    query = select(digest).where(SnapshotRowRecord.snapshot == number).order_by(digest)
    with closing(session.scalars(query.execution_options(yield_per=BATCH))) as digests:
        yield from digests


def _hash_rows(kind: str, licence: str, digests: Iterable[str]) -> str:
    """Rows come sorted by digest: hexadecimal sorts alike in every database, paths do not."""
    total = hashlib.sha256(canonical_json({"kind": kind, "licence": licence}).encode())
    for digest in digests:
        total.update(digest.encode())
    return total.hexdigest()


def _rows_query(number: int) -> Select[tuple[SnapshotRowRecord]]:
    rows = SnapshotRowRecord
    return select(rows).where(rows.snapshot == number).order_by(rows.digest)


def _record(session: Session, snapshot_id: str) -> SnapshotRecord:
    matches = SnapshotRecord.id.startswith(snapshot_id, autoescape=True)
    found = list(session.scalars(select(SnapshotRecord).where(matches).limit(2)))
    if len(found) != 1 or not snapshot_id:
        what = "two snapshots begin" if len(found) == 2 else "no snapshot begins"
        raise RegistryError(f"{what} with {snapshot_id!r}: list them and give more of the id")
    return found[0]


def _snapshot(record: SnapshotRecord) -> Snapshot:
    return Snapshot(record.id, record.name, record.kind, record.licence, record.source, record.rows)


def _row(record: SnapshotRowRecord) -> ManifestRow:
    points = tuple((x, y) for x, y in record.points) if record.points is not None else None
    return ManifestRow(
        path=record.path,
        sha256=record.sha256,
        subject=record.subject,
        role=record.role,
        size_bytes=record.size_bytes,
        width=record.width,
        height=record.height,
        labels=record.labels,
        points=points,
        failure=record.failure,
    )


def _provisional() -> str:
    """An id no hash can equal, held only until the rows are in."""
    return f"provisional-{uuid4().hex}"
