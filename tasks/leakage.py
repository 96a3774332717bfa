"""Guards on stored snapshots: what must not share a file or a person, and what is wrong within one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from prefect import task
from sqlalchemy import Engine

from models.errors import DataLeak
from models.metrics.protocol import Protocol
from models.protocols.leakage import (
    Leak,
    benchmark_in_training,
    one_recording_on_both_sides,
    people_in_two_sets,
    sessions_as_two_people,
    shared_with_vggface1,
    subjects_on_both_sides,
)
from models.readers.vggface2_tables import OVERLAP, find_overlap, read_overlap
from registry.catalogue import list_snapshots, load_rows
from registry.manifest import ManifestRow, Snapshot
from tasks import policies
from tasks.sources import OWN
from tasks.wiring import open_workspace

SHOWN = 20


class Leaks(NamedTuple):
    """How many rows each guard named, the first of them, and what could not be looked for."""

    counts: dict[str, int]
    first: tuple[Leak, ...]
    unchecked: tuple[str, ...]


@task(name="guard against leakage", **policies.CHECK)
def require_apart(training: Snapshot, benchmark: Snapshot) -> None:
    """Raise `DataLeak` when training shares files, or people of one data set, with what it will be judged on."""
    engine = open_workspace().engine
    found = benchmark_in_training(
        usable_rows(engine, training), usable_rows(engine, benchmark), people_of(training) == people_of(benchmark)
    )
    first = next(found, None)
    if first is not None:
        more = sum(1 for _ in found)
        others = f" and {more} more" if more else ""
        raise DataLeak(
            f"{training.name}: {first.path}{others}: {first.guard} ({first.why} of {benchmark.name}): "
            "train on data that the benchmark does not hold"
        )


@task(name="guard versions against leakage", **policies.CHECK)
def require_apart_from(trainings: Sequence[str | None], benchmark: Snapshot) -> None:
    """The same for the snapshots, by id, that several versions learnt from; one no longer listed is not looked at."""
    known = {snapshot.id: snapshot for snapshot in list_snapshots(open_workspace().engine)}
    for training in dict.fromkeys(trainings):
        if training in known:
            require_apart.fn(known[training], benchmark)


@task(name="guard against people in two sets", **policies.CHECK)
def require_different_people(sets: Mapping[str, Snapshot]) -> None:
    """Raise `DataLeak` when sets that are to be one benchmark share a file, or a person whom both name."""
    engine = open_workspace().engine
    rows = {name: usable_rows(engine, snapshot) for name, snapshot in sets.items()}
    found = people_in_two_sets(rows, {name: people_of(snapshot) for name, snapshot in sets.items()})
    first = next(found, None)
    if first is not None:
        more = sum(1 for _ in found)
        others = f" and {more} more" if more else ""
        raise DataLeak(f"{first.path}{others}: {first.guard} ({first.why}): merge sets that have nobody in common")


def people_of(snapshot: Snapshot) -> str:
    """The data set whose names a snapshot's subjects are; of one's own data it is the name that the user gave."""
    own = not snapshot.data_set or snapshot.data_set in OWN
    return f"own {snapshot.name}" if own else snapshot.data_set


def usable_rows(engine: Engine, snapshot: Snapshot) -> Iterator[ManifestRow]:
    """The rows that gave something; streamed."""
    return (row for row in load_rows(engine, snapshot.id) if row.failure is None)


def leaks_within(engine: Engine, snapshot: Snapshot, protocol: Protocol | None) -> Leaks:
    """What the guards find in one snapshot, under its protocol where it has one."""
    found: Iterable[Leak] = chain(
        sessions_as_two_people(usable_rows(engine, snapshot)),
        subjects_on_both_sides(usable_rows(engine, snapshot)),
        _recordings(engine, snapshot, protocol),
    )
    unchecked: tuple[str, ...] = ()
    if snapshot.data_set == "vggface2":
        overlap = find_overlap(Path(snapshot.source))
        if overlap is None:
            unchecked = (f"people whom VGGFace1 has too: no {OVERLAP} in {snapshot.source}",)
        else:
            found = chain(found, shared_with_vggface1(usable_rows(engine, snapshot), read_overlap(overlap)))
    counts: Counter[str] = Counter()
    first: list[Leak] = []
    for leak in found:
        counts[leak.guard] += 1
        if counts[leak.guard] <= SHOWN:
            first.append(leak)
    return Leaks(dict(counts), tuple(first), unchecked)


def _recordings(engine: Engine, snapshot: Snapshot, protocol: Protocol | None) -> Iterator[Leak]:
    """Probes from enrolled recordings, by the protocol or else by the roles of the rows."""
    if protocol is None:
        gallery = (row for row in usable_rows(engine, snapshot) if row.role == "gallery")
        probes = (row for row in usable_rows(engine, snapshot) if row.role == "probe")
        return one_recording_on_both_sides(gallery, probes)
    enrolled, searched = frozenset(protocol.gallery_ids), frozenset(protocol.probe_ids)
    return one_recording_on_both_sides(
        (row for row in usable_rows(engine, snapshot) if row.path in enrolled),
        (row for row in usable_rows(engine, snapshot) if row.path in searched),
    )
