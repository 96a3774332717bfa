"""Snapshots of data: immutable lists of photos or scans, named by the hash of what they list."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, Select, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from infra.database import reading, writing
from infra.files import canonical_json
from registry.errors import RegistryError
from registry.manifest import Kind, ManifestRow, Snapshot, row_digest
from registry.tables import SnapshotRecord, SnapshotRowRecord, now

__all__ = ["ManifestRow", "Snapshot", "row_digest"]  # where most of the code looks for them

BATCH = 1000
PROVISIONAL = "provisional-"
"""How the id of a snapshot begins whose rows are not all in; no hash does."""
ABANDONED_AFTER = timedelta(days=2)
_LONGEST = {"subject": 200, "role": 40}


def add_snapshot(
    engine: Engine,
    rows: Iterable[ManifestRow],
    *,
    name: str,
    kind: Kind,
    licence: str,
    source: str,
    data_set: str = "",
    listing: str | None = None,
) -> Snapshot:
    """Store a snapshot; the same content again gives the first one and no second copy.

    Rows are streamed: memory does not grow with their number, and the database is locked for a batch at a time only.
    `listing` is a hash by which `find_listing` knows the same rows before they are stored. Until all rows are in,
    nothing sees the snapshot. Raises `RegistryError` on a repeated path.
    """
    number = _open(engine, name=name, kind=kind, licence=licence, source=source, data_set=data_set)
    try:
        count = _insert_rows(engine, number, rows)
        with reading(engine) as session:
            snapshot_id = _hash_rows(kind, licence, data_set, _digests(session, number))
        return _close(engine, number, snapshot_id, count, listing)
    except BaseException:
        _discard(engine, number)
        raise


def find_listing(engine: Engine, listing: str) -> Snapshot | None:
    """The snapshot that was stored with this `listing`, if it is still there."""
    with reading(engine) as session:
        found = session.scalar(_finished().where(SnapshotRecord.listing == listing).limit(1))
        return None if found is None else _snapshot(found)


def find_snapshot(engine: Engine, snapshot_id: str) -> Snapshot:
    """A snapshot by its id or an unambiguous start of it; raises `RegistryError` otherwise."""
    with reading(engine) as session:
        return _snapshot(_record(session, snapshot_id))


def list_snapshots(engine: Engine) -> tuple[Snapshot, ...]:
    """All snapshots, the newest last."""
    with reading(engine) as session:
        return tuple(_snapshot(record) for record in session.scalars(_finished().order_by("number")))


def load_rows(engine: Engine, snapshot_id: str, roles: Sequence[str] | None = None) -> Iterator[ManifestRow]:
    """The rows of a snapshot in a fixed order (by their digest), all or of some roles; streamed."""
    with reading(engine) as session:
        query = _rows_query(_record(session, snapshot_id).number)
        if roles is not None:
            query = query.where(SnapshotRowRecord.role.in_(roles))
        with closing(session.scalars(query.execution_options(yield_per=BATCH))) as records:
            yield from map(_row, records)


def load_rows_by_path(engine: Engine, snapshot_id: str) -> Iterator[ManifestRow]:
    """The rows of a snapshot in the order of their paths' code points, the same in every database; streamed."""
    path = SnapshotRowRecord.path
    with reading(engine) as session:
        number = _record(session, snapshot_id).number
        # PostgreSQL would sort as its language does; SQLite's own order is that of the bytes already
        key = path.collate("C") if engine.dialect.name == "postgresql" else path
        query = select(SnapshotRowRecord).where(SnapshotRowRecord.snapshot == number).order_by(key)
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
        total = _hash_rows(record.kind, record.licence, record.data_set, digests)
        if changed is not None or total != record.id:
            where = f"row {changed!r} was changed" if changed else "rows were added, removed or relabelled"
            raise RegistryError(f"snapshot {record.id[:12]} ({record.name}): {where}; ingest it anew")


def snapshots_with(engine: Engine, subject: str) -> tuple[Snapshot, ...]:
    """Every snapshot that shows a person."""
    numbers = select(SnapshotRowRecord.snapshot).where(SnapshotRowRecord.subject == subject)
    with reading(engine) as session:
        found = session.scalars(_finished().where(SnapshotRecord.number.in_(numbers)).order_by("number"))
        return tuple(_snapshot(record) for record in found)


def delete_snapshot(engine: Engine, snapshot_id: str) -> None:
    """Forget a snapshot and its rows; `infra.database.compact` then removes the last trace."""
    with writing(engine) as session:
        _delete(session, _record(session, snapshot_id).number)


def _open(engine: Engine, **known: str) -> int:
    """A snapshot that nothing sees yet; what killed writers left long ago is cleared away."""
    with writing(engine) as session:
        unfinished = SnapshotRecord.id.startswith(PROVISIONAL)
        old = select(SnapshotRecord.number).where(unfinished, SnapshotRecord.created < now() - ABANDONED_AFTER)
        for number in list(session.scalars(old)):
            _delete(session, number)
        record = SnapshotRecord(id=PROVISIONAL + uuid4().hex, rows=0, **known)
        session.add(record)
        session.flush()
        return record.number


def _close(engine: Engine, number: int, snapshot_id: str, count: int, listing: str | None) -> Snapshot:
    """Give the snapshot its name, unless another one has it: then that one stays and this one goes."""
    try:
        with writing(engine) as session:
            existing = session.scalar(select(SnapshotRecord).where(SnapshotRecord.id == snapshot_id))
            if existing is not None and existing.erased is not None:  # the same files again, of their own free will
                session.delete(existing)
                session.flush()
                existing = None
            if existing is None:
                record = session.get_one(SnapshotRecord, number)
                record.id, record.rows, record.listing = snapshot_id, count, listing
                session.flush()
                return _snapshot(record)
            existing.listing = existing.listing or listing
            _delete(session, number)
            return _snapshot(existing)
    except IntegrityError:  # another writer was faster by a moment
        _discard(engine, number)
        return find_snapshot(engine, snapshot_id)


def _discard(engine: Engine, number: int) -> None:
    with writing(engine) as session:
        _delete(session, number)


def _delete(session: Session, number: int) -> None:
    session.execute(delete(SnapshotRowRecord).where(SnapshotRowRecord.snapshot == number))
    session.execute(delete(SnapshotRecord).where(SnapshotRecord.number == number))


def _insert_rows(engine: Engine, number: int, rows: Iterable[ManifestRow]) -> int:
    count = 0
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, BATCH)):
        try:
            with writing(engine) as session:
                session.execute(insert(SnapshotRowRecord), [_values(number, row) for row in batch])
        except IntegrityError:
            start = f"in or before the {len(batch)} rows that begin with {batch[0].path!r}"
            raise RegistryError(f"a path is listed twice {start}: list every file once") from None
        count += len(batch)
    return count


def _values(number: int, row: ManifestRow) -> dict[str, Any]:
    values = vars(row)
    for name, most in _LONGEST.items():
        if len(values[name] or "") > most:
            raise RegistryError(f"{row.path!r} cannot be stored (its {name} is longer than {most}): shorten it")
    try:
        return {"snapshot": number, "digest": row_digest(row), **values, "labels": dict(row.labels)}
    except (TypeError, ValueError) as error:
        raise RegistryError(f"{row.path!r} cannot be stored ({error}): use plain JSON values and UTF-8 names") from None


def _digests(session: Session, number: int) -> Iterator[str]:
    digest = SnapshotRowRecord.digest
    query = select(digest).where(SnapshotRowRecord.snapshot == number).order_by(digest)
    with closing(session.scalars(query.execution_options(yield_per=BATCH))) as digests:
        yield from digests


def _hash_rows(kind: str, licence: str, data_set: str, digests: Iterable[str]) -> str:
    """Rows come sorted by digest: hexadecimal sorts alike in every database, paths do not."""
    header = {"kind": kind, "licence": licence} | ({"data_set": data_set} if data_set else {})
    total = hashlib.sha256(canonical_json(header).encode())
    for digest in digests:
        total.update(digest.encode())
    return total.hexdigest()


def _rows_query(number: int) -> Select[tuple[SnapshotRowRecord]]:
    rows = SnapshotRowRecord
    return select(rows).where(rows.snapshot == number).order_by(rows.digest)


def _finished() -> Select[tuple[SnapshotRecord]]:
    known = SnapshotRecord.id.not_like(f"{PROVISIONAL}%")
    return select(SnapshotRecord).where(known, SnapshotRecord.erased.is_(None))


def _record(session: Session, snapshot_id: str) -> SnapshotRecord:
    matches = SnapshotRecord.id.startswith(snapshot_id, autoescape=True)
    found = list(session.scalars(_finished().where(matches).limit(2)))
    if len(found) != 1 or not snapshot_id:
        what = "two snapshots begin" if len(found) == 2 else "no snapshot begins"
        raise RegistryError(f"{what} with {snapshot_id!r}: list them and give more of the id")
    return found[0]


def _snapshot(record: SnapshotRecord) -> Snapshot:
    known = (record.id, record.name, record.kind, record.licence, record.source, record.rows, record.data_set)
    return Snapshot(*known, created=record.created)


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
