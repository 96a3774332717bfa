"""What was made from what: artefacts, their inputs, and the walk in both directions."""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from infra.database import reading, writing
from registry.errors import RegistryError
from registry.tables import ArtefactRecord, LineageRecord, SnapshotRecord

BLOCK = "rows"
"""The stage name of a block of rows of a snapshot, from which a shard was made."""


ERASED = "erased"
"""Stands in a lineage for an input that named an erased person's file."""


class Node(NamedTuple):
    """One step of a lineage. `hash` is an artefact key, a snapshot id, or an input that nothing here accounts for."""

    hash: str
    kind: str
    stage: str
    depth: int


def record_artefact(engine: Engine, key: str, stage: str, content: str, inputs: Sequence[str]) -> None:
    """Note how an artefact came about; noting it again is a no-op.

    `inputs` are snapshot ids, or keys or content hashes of other artefacts. Raises `RegistryError` when the key is
    known with other inputs: a key stands for one way of being made.
    """
    with writing(engine) as session:
        if session.get(ArtefactRecord, key) is not None:
            known = list(session.scalars(select(LineageRecord).filter_by(output=key).order_by(LineageRecord.position)))
            pairs = list(zip_longest((row.input for row in known), inputs))
            if any(was not in (given, ERASED) or given is None for was, given in pairs):
                raise RegistryError(f"{stage} artefact {key[:12]} is known with other inputs: its key is wrong")
            for row, given in zip(known, inputs, strict=True):
                row.input = given  # what an erasure took out is there again
            return
        session.add(ArtefactRecord(key=key, stage=stage, content=content))
        session.flush()
        session.add_all(
            LineageRecord(output=key, position=position, input=given) for position, given in enumerate(inputs)
        )


def record_block(engine: Engine, digest: str, snapshot_id: str) -> None:
    """Note that the rows behind `digest` are part of a snapshot; the same rows may be part of several."""
    with writing(engine) as session:
        if session.get(ArtefactRecord, digest) is None:
            session.add(ArtefactRecord(key=digest, stage=BLOCK, content=digest))
            session.flush()
        known = list(session.scalars(select(LineageRecord.input).filter_by(output=digest)))
        if snapshot_id not in known:
            session.add(LineageRecord(output=digest, position=len(known), input=snapshot_id))


def ancestors(engine: Engine, key: str) -> tuple[Node, ...]:
    """The artefact and everything it was made from, nearest first."""
    with reading(engine) as session:
        return _walk(session, key, lambda node: _inputs(session, node))


def descendants(engine: Engine, origin: str) -> tuple[Node, ...]:
    """A snapshot or artefact and everything made from it, nearest first: what an erasure must look at."""
    with reading(engine) as session:
        return _walk(session, origin, lambda node: _outputs(session, node))


def derived(engine: Engine, origins: Iterable[str], stop: Callable[[Node], bool]) -> tuple[Node, ...]:
    """What was made from `origins`, without them; where `stop` says so, what was made from that in turn is left out."""
    found: dict[str, Node] = {}
    with reading(engine) as session:
        for origin in origins:
            walked = _walk(session, origin, lambda node: [] if node.depth and stop(node) else _outputs(session, node))
            found |= {node.hash: node for node in walked if node.depth}
    return tuple(found.values())


def is_complete(nodes: Iterable[Node]) -> bool:
    """Whether a lineage ends in snapshots only, with nothing unaccounted for."""
    listed = list(nodes)
    return any(node.kind == "snapshot" for node in listed) and all(node.kind != "unknown" for node in listed)


def _walk(session: Session, start: str, neighbours: Callable[[Node], list[str]]) -> tuple[Node, ...]:
    found: dict[str, Node] = {}
    level, depth = [start], 0
    while level:
        nodes = [node for given in level for node in _resolve(session, given, depth) if node.hash not in found]
        found |= {node.hash: node for node in nodes}
        level = [given for node in nodes for given in neighbours(node)]
        depth += 1
    return tuple(found.values())


def _resolve(session: Session, given: str, depth: int) -> list[Node]:
    """What a hash stands for; several artefacts can have the same bytes."""
    if session.scalar(select(SnapshotRecord.id).where(SnapshotRecord.id == given)):
        return [Node(given, "snapshot", "", depth)]
    same = or_(ArtefactRecord.key == given, ArtefactRecord.content == given)
    artefacts = session.scalars(select(ArtefactRecord).where(same).order_by(ArtefactRecord.key))
    return [Node(record.key, "artefact", record.stage, depth) for record in artefacts] or [
        Node(given, "unknown", "", depth)
    ]


def _inputs(session: Session, node: Node) -> list[str]:
    query = select(LineageRecord.input).where(LineageRecord.output == node.hash).order_by(LineageRecord.position)
    return list(session.scalars(query))


def _outputs(session: Session, node: Node) -> list[str]:
    content = select(ArtefactRecord.content).where(ArtefactRecord.key == node.hash)
    uses = or_(LineageRecord.input == node.hash, LineageRecord.input.in_(content))
    return list(session.scalars(select(LineageRecord.output).where(uses).order_by(LineageRecord.output)))
