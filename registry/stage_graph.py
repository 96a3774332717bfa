"""The lineage of an artefact, drawn together by stage: which kind of thing was made from which."""

from collections import Counter
from typing import NamedTuple

from sqlalchemy import Engine, select

from infra.database import reading
from registry.lineage import Node, ancestors
from registry.tables import ArtefactRecord, LineageRecord

_AT_ONCE = 500  # SQLite takes no more than so many values in one question


class Stage(NamedTuple):
    """All artefacts of one stage, or all snapshots; `depth` is the longest way from the artefact asked about."""

    name: str
    kind: str
    artefacts: int
    depth: int


class StageGraph(NamedTuple):
    """Stages, the nearest first, and edges as (made from, made), by names."""

    stages: tuple[Stage, ...]
    edges: tuple[tuple[str, str], ...]


def stage_graph(engine: Engine, key: str) -> StageGraph:
    """Everything that the artefact `key` was made from, by stage."""
    nodes = ancestors(engine, key)
    names = {node.hash: _name(node) for node in nodes}
    contents, pairs = _records(engine, [node.hash for node in nodes if node.kind == "artefact"])
    of_input = {**contents, **names}
    edges = {(of_input[given], names[made]) for made, given in pairs if given in of_input}
    edges = {(source, target) for source, target in edges if source != target}
    depths = _longest(names[key], edges)
    counts = Counter(names.values())
    kinds = {_name(node): node.kind for node in nodes}
    stages = [Stage(name, kinds[name], counts[name], depths.get(name, 0)) for name in counts]
    return StageGraph(tuple(sorted(stages, key=lambda stage: (stage.depth, stage.name))), tuple(sorted(edges)))


def _name(node: Node) -> str:
    return node.stage or node.kind


def _records(engine: Engine, keys: list[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Stage by content hash, and (made, made from) as hashes."""
    contents: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    with reading(engine) as session:
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            artefacts = select(ArtefactRecord.content, ArtefactRecord.stage).where(ArtefactRecord.key.in_(some))
            contents |= dict(session.execute(artefacts).tuples().all())
            inputs = select(LineageRecord.output, LineageRecord.input).where(LineageRecord.output.in_(some))
            pairs += session.execute(inputs).tuples()
    return contents, pairs


def _longest(end: str, edges: set[tuple[str, str]]) -> dict[str, int]:
    """The longest way to `end` from each stage; stages that make each other keep the first that was found."""
    depths = {end: 0}
    for _ in range(len({name for edge in edges for name in edge})):
        deeper = {
            source: depths[target] + 1
            for source, target in edges
            if target in depths and depths.get(source, -1) < depths[target] + 1 and source != end
        }
        if not deeper:
            break
        depths |= deeper
    return depths
