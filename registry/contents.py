"""What is in a snapshot, counted by the database: by column, by label, and the files that gave nothing."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Literal, NamedTuple

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from infra.database import reading
from registry.catalogue import BATCH, find_snapshot
from registry.tables import SnapshotRecord, SnapshotRowRecord

Column = Literal["subject", "role"]


class Quarantined(NamedTuple):
    """A file that gave nothing, and why."""

    path: str
    reason: str


class Totals(NamedTuple):
    """`usable` files gave something, `quarantined` ones did not; bytes of all of them."""

    files: int
    usable: int
    quarantined: int
    size_bytes: int
    people: int
    nobodys: int


def totals(engine: Engine, snapshot_id: str) -> Totals:
    """How much a snapshot holds."""
    rows = SnapshotRowRecord
    counted = (
        func.count(),
        func.count(rows.failure),
        func.coalesce(func.sum(rows.size_bytes), 0),
        func.count(rows.subject.distinct()),
        func.count(rows.subject),
    )
    with reading(engine) as session:
        query = select(*counted).where(rows.snapshot == _number(session, engine, snapshot_id))
        files, failed, size, people, somebodys = session.execute(query).one()
    return Totals(files, files - failed, failed, int(size), people, files - somebodys)


def count_by(engine: Engine, snapshot_id: str, column: Column) -> dict[str | None, int]:
    """Files for each value of a column, by value; None where it is not known."""
    return _count(engine, snapshot_id, getattr(SnapshotRowRecord, column))


def count_by_label(engine: Engine, snapshot_id: str, label: str) -> dict[str | None, int]:
    """Files for each value of a label, by value; None where they have none."""
    return _count(engine, snapshot_id, SnapshotRowRecord.labels[label].as_string())


def quarantined(engine: Engine, snapshot_id: str, most: int | None = None) -> Iterator[Quarantined]:
    """The files that gave nothing, in a fixed order (of their rows' digests), streamed; the first `most` of them."""
    rows = SnapshotRowRecord
    with reading(engine) as session:
        query = select(rows.path, rows.failure).where(
            rows.snapshot == _number(session, engine, snapshot_id), rows.failure.is_not(None)
        )
        ordered = query.order_by(rows.digest).limit(most).execution_options(yield_per=BATCH)
        with closing(session.execute(ordered)) as found:
            yield from (Quarantined(path, reason or "") for path, reason in found)


def _count(engine: Engine, snapshot_id: str, value: Any) -> dict[str | None, int]:
    with reading(engine) as session:
        query = select(value, func.count()).where(SnapshotRowRecord.snapshot == _number(session, engine, snapshot_id))
        found = session.execute(query.group_by(value)).all()
    pairs = [(None if name is None else str(name), many) for name, many in found]
    return dict(sorted(pairs, key=lambda pair: (pair[0] is None, pair[0] or "")))


def _number(session: Session, engine: Engine, snapshot_id: str) -> int:
    whole = find_snapshot(engine, snapshot_id).id
    return session.scalars(select(SnapshotRecord.number).where(SnapshotRecord.id == whole)).one()
