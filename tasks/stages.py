"""How every stage runs: name it by what it is made from, make it unless it is there, note its lineage and its time."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.files import atomic_write_json, remove
from infra.fingerprint import code_fingerprint
from infra.store import Artefact, artefact_key
from registry.lineage import record_artefact
from tasks.pool import Shard, make_shards
from tasks.wiring import Workspace

Input = Artefact | str
"""What a stage is made from: artefacts, or hashes such as a snapshot's id."""


def make(
    workspace: Workspace,
    stage: str,
    inputs: Sequence[Input],
    config: Any,
    code: Sequence[str],
    build: Callable[[Path, Path], float | None],
) -> Artefact:
    """The artefact of a stage that is one unit of work; `code` names the modules whose change makes it stale.

    `build(folder, scratch)` fills the artefact; `scratch` outlives a killed run and is where checkpoints go. It may
    return the seconds that count, where waiting for a worker should not.
    """
    key, hashes = _key(workspace, stage, inputs, config, code)
    found = workspace.store.lookup(stage, key)
    scratch = workspace.home / "scratch" / f"{stage}-{key[:20]}"
    if found is None:
        start = time.perf_counter()
        scratch.mkdir(parents=True, exist_ok=True)
        counted: list[float] = []
        found = workspace.store.ensure(stage, key, lambda folder: counted.extend(_listed(build(folder, scratch))))
        _note_seconds(workspace, found, counted[0] if counted else time.perf_counter() - start)
    remove(scratch)
    record_artefact(workspace.engine, key, stage, workspace.store.content_hash(found), hashes)
    return found


def make_all(
    workspace: Workspace,
    stage: str,
    units: Sequence[tuple[Sequence[Input], dict[str, Any]]],
    code: Sequence[str],
    build: Callable[..., None],
    title: str,
    arguments: Sequence[dict[str, Any]] | None = None,
    workers: int | None = None,
) -> list[Artefact]:
    """The artefacts of a stage that is split into shards, one for each (inputs, config) of `units`.

    `build(folder, **config, **arguments[i])` runs in worker processes; `arguments` are paths and other things that do
    not change the result. `workers` are as many as the settings say, or so many on this machine; with one the shards
    are made in this process. A shard that cannot be made is told when all others are there: see `make_shards`.
    """
    shards: list[Shard] = []
    lineage: list[list[str]] = []
    for number, (inputs, config) in enumerate(units):
        key, hashes = _key(workspace, stage, inputs, config, code)
        more = arguments[number] if arguments else {}
        shards.append(Shard(stage, key, build, {**config, **more}, tuple(code)))
        lineage.append(hashes)
    start = time.perf_counter()
    made = sum(workspace.store.lookup(shard.stage, shard.key) is None for shard in shards)
    found = make_shards(workspace.store, shards, workspace.settings, workers, title)
    seconds = (time.perf_counter() - start) / max(made, 1)
    for artefact, hashes in zip(found, lineage, strict=True):
        if made and seconds_of(workspace, artefact) is None:
            _note_seconds(workspace, artefact, seconds)
        record_artefact(workspace.engine, artefact.key, stage, workspace.store.content_hash(artefact), hashes)
    return found


def _listed(seconds: float | None) -> list[float]:
    return [] if seconds is None else [seconds]


def seconds_of(workspace: Workspace, artefact: Artefact) -> float | None:
    """How long the artefact took when it was made (a shard: its share of the wall time)."""
    path = _timing_path(workspace, artefact)
    return float(json.loads(path.read_text())["seconds"]) if path.is_file() else None


def total_seconds(workspace: Workspace, artefacts: Sequence[Artefact]) -> float:
    """The time that several artefacts took."""
    return sum(seconds_of(workspace, artefact) or 0.0 for artefact in artefacts)


def _key(
    workspace: Workspace, stage: str, inputs: Sequence[Input], config: Any, code: Sequence[str]
) -> tuple[str, list[str]]:
    hashes = [given if isinstance(given, str) else workspace.store.content_hash(given) for given in inputs]
    return artefact_key(stage, hashes, config, code_fingerprint(*code)), hashes


def _note_seconds(workspace: Workspace, artefact: Artefact, seconds: float) -> None:
    """Times differ between runs, so they stand beside the artefact and not in it."""
    atomic_write_json(_timing_path(workspace, artefact), {"seconds": round(seconds, 3)})


def _timing_path(workspace: Workspace, artefact: Artefact) -> Path:
    return workspace.home / "timings" / artefact.stage / f"{artefact.key}.json"
