"""The licences of everything an artefact was derived from, by its recorded lineage."""

from collections.abc import Collection, Mapping

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from infra.database import reading
from registry.lineage import BLOCK, Node, ancestors
from registry.tables import LineageRecord, SnapshotRecord

UNKNOWN = "unknown"


def licences_behind(engine: Engine, key: str, snapshots: Collection[str], origins: Mapping[str, str]) -> dict[str, str]:
    """Licence by source, for every source of the artefact `key`: each snapshot, and each stage that began from nothing.

    `origins` says on what terms such stages stand. A stage it does not name, or an input that nothing accounts for, is
    `unknown`: nothing is free by absence. A block of rows may be part of several snapshots, of which those in
    `snapshots` count when they are among them (the same photos can be listed under a licence that was mended later).
    """
    nodes = ancestors(engine, key)
    found: dict[str, str] = {}
    with reading(engine) as session:
        inputs = {node.hash: _inputs(session, node) for node in nodes if node.kind == "artefact"}
        ids = {given for node in nodes if node.kind == "artefact" for given in _meant(node, inputs, snapshots)}
        for record in session.scalars(select(SnapshotRecord).where(SnapshotRecord.id.in_(ids))):
            found[f"{record.name} ({record.id[:8]})"] = record.licence
    for node in nodes:
        if node.kind == "unknown":
            found[f"input {node.hash[:8]}"] = UNKNOWN
        elif node.kind == "artefact" and not inputs[node.hash]:
            found[node.stage] = origins.get(node.stage, UNKNOWN)
    return dict(sorted(found.items()))


def _meant(node: Node, inputs: Mapping[str, list[str]], snapshots: Collection[str]) -> list[str]:
    """The inputs of an artefact that count as its sources."""
    given = inputs[node.hash]
    chosen = [each for each in given if each in snapshots]
    return chosen if node.stage == BLOCK and chosen else given


def _inputs(session: Session, node: Node) -> list[str]:
    query = select(LineageRecord.input).where(LineageRecord.output == node.hash).order_by(LineageRecord.position)
    return list(session.scalars(query))
