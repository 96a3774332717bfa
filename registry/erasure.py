"""A person out of the catalogue: snapshots without them, no hash of their files in any lineage, models named."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, select, update

from infra.database import reading, writing
from registry.catalogue import add_snapshot, load_rows, snapshots_with
from registry.ledger import champion
from registry.lineage import ERASED
from registry.manifest import ManifestRow, Snapshot
from registry.mlflow_errors import explained
from registry.origins import PARENT
from registry.packaging import LINEAGE
from registry.tables import ErasureRecord, LineageRecord, SnapshotRecord, SnapshotRowRecord, now
from registry.tracking import PAGE, Tracker

_AT_ONCE = 500


class TrainedOn(NamedTuple):
    """A registered version whose training saw the person."""

    model: str
    version: str
    serves: bool


class Erasure(NamedTuple):
    """What is kept of an erasure: nothing that says who it was."""

    id: str
    begun: datetime
    finished: datetime
    told: dict[str, Any]


def rows_of(engine: Engine, person: str, data_set: str | None = None) -> Iterator[tuple[Snapshot, ManifestRow]]:
    """Every file of a person in every snapshot, of one data set or of all."""
    for snapshot in snapshots_with(engine, person):
        if data_set is None or snapshot.data_set == data_set:
            for row in load_rows(engine, snapshot.id):
                if row.subject == person:
                    yield snapshot, row


def leave_out(engine: Engine, snapshot: Snapshot, person: str) -> str | None:
    """List a snapshot anew without a person and empty the old one; the id of the new one, None where nobody is left.

    The old one keeps its id and licence, so that the lineage of what was made from it stays complete.
    """
    others = [row for row in load_rows(engine, snapshot.id) if row.subject != person]
    successor: str | None = None
    if others:
        told = {"name": snapshot.name, "kind": snapshot.kind, "licence": snapshot.licence, "source": snapshot.source}
        successor = add_snapshot(engine, others, data_set=snapshot.data_set, **told).id  # pyright: ignore[reportArgumentType]
    with writing(engine) as session:
        number = select(SnapshotRecord.number).where(SnapshotRecord.id == snapshot.id).scalar_subquery()
        session.execute(delete(SnapshotRowRecord).where(SnapshotRowRecord.snapshot == number))
        emptied = update(SnapshotRecord).where(SnapshotRecord.id == snapshot.id)
        session.execute(emptied.values(erased=now(), successor=successor, listing=None, rows=0))
    return successor


def predecessors(engine: Engine, snapshot_ids: Iterable[str]) -> list[str]:
    """The emptied snapshots that these, or their predecessors, came after: models may know them instead."""
    found, level = list[str](), list(snapshot_ids)
    with reading(engine) as session:
        while level:
            level = list(session.scalars(select(SnapshotRecord.id).where(SnapshotRecord.successor.in_(level))))
            found += level
    return sorted(set(found))


def forget_inputs(engine: Engine, hashes: Sequence[str]) -> int:
    """Strike the hashes of somebody's files from the lineage; returns how often they were there."""
    gone = 0
    with writing(engine) as session:
        for start in range(0, len(hashes), _AT_ONCE):
            theirs = LineageRecord.input.in_(hashes[start : start + _AT_ONCE])
            struck = update(LineageRecord).where(theirs).values(input=ERASED).returning(LineageRecord.position)
            gone += len(session.scalars(struck).all())
    return gone


def versions_from(engine: Engine, tracker: Tracker, keys: Iterable[str]) -> list[TrainedOn]:
    """The registered versions whose graph is one of these artefacts. Raises `TrackingError`."""
    wanted = set(keys)
    found: list[TrainedOn] = []
    with explained(tracker.tracking_uri):
        token: str | None = None
        while True:
            page = tracker.client.search_model_versions(max_results=PAGE, page_token=token)
            for each in page:
                if dict(each.tags).get(LINEAGE) in wanted:
                    serves = champion(engine, each.name).version == str(each.version)
                    found.append(TrainedOn(each.name, str(each.version), serves))
            token = page.token
            if not token:
                return sorted(found)


def runs_about(tracker: Tracker, snapshot_ids: Iterable[str]) -> list[str]:
    """The runs in MLflow that used one of these snapshots, and the runs under them. Raises `TrackingError`."""
    wanted = set(snapshot_ids)
    with explained(tracker.tracking_uri):
        experiments = [each.experiment_id for each in tracker.client.search_experiments()]
        runs: list[Any] = []
        token: str | None = None
        while experiments:
            page = tracker.client.search_runs(experiments, max_results=PAGE, page_token=token)
            runs += page
            token = page.token
            if not token:
                break
    found = {run.info.run_id for run in runs if wanted & set(run.data.tags.values())}
    return sorted(found | {run.info.run_id for run in runs if run.data.tags.get(PARENT) in found})


def record_erasure(engine: Engine, erasure_id: str, begun: datetime, told: dict[str, Any]) -> None:
    """Note that an erasure is done; once is enough."""
    with writing(engine) as session:
        if session.get(ErasureRecord, erasure_id) is None:
            session.add(ErasureRecord(id=erasure_id, begun=begun, told=told))


def erasures(engine: Engine) -> list[Erasure]:
    """All erasures, the oldest first."""
    with reading(engine) as session:
        found = session.scalars(select(ErasureRecord).order_by(ErasureRecord.finished, ErasureRecord.id))
        return [Erasure(each.id, each.begun, each.finished, each.told) for each in found]
