"""What people ask of a stored snapshot: which there are, what is in one, and what changed between two."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from registry.catalogue import find_snapshot, list_snapshots, load_rows_by_path
from registry.contents import Quarantined, Totals, count_by, count_by_label, quarantined, totals
from registry.differences import Difference, differences
from registry.errors import RegistryError
from registry.manifest import Snapshot
from tasks.leakage import Leaks, leaks_within
from tasks.standing import Standing, standing_of


@dataclass(frozen=True)
class Overview:
    """One snapshot: how much it holds, counted; what gave nothing and why; the published set; what the guards found."""

    snapshot: Snapshot
    totals: Totals
    counts: Mapping[str, Mapping[str | None, int]]
    failures: tuple[Quarantined, ...]
    standing: Standing
    leaks: Leaks

    def as_data(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {
            **snapshot_data(self.snapshot, self.totals),
            "counts": {name: _named(counts) for name, counts in self.counts.items()},
            "failures": [each._asdict() for each in self.failures],
            **self.standing.as_data(),
            "leaks": {
                "counts": self.leaks.counts,
                "first": [leak._asdict() for leak in self.leaks.first],
                "unchecked": list(self.leaks.unchecked),
            },
        }


def pick_snapshot(engine: Engine, word: str) -> Snapshot:
    """The newest snapshot of that name, else the one whose id begins so; raises `RegistryError` otherwise."""
    named = [snapshot for snapshot in list_snapshots(engine) if snapshot.name == word]
    if named:
        return named[-1]
    try:
        return find_snapshot(engine, word)
    except RegistryError as error:
        raise RegistryError(f"{error}, or their name: `trinormal data list` shows both") from None


def overview(engine: Engine, snapshot: Snapshot) -> Overview:
    """Everything that `data show` tells; counted by the database, rows streamed."""
    counts: dict[str, Mapping[str | None, int]] = {
        "subject": count_by(engine, snapshot.id, "subject"),
        "role": count_by(engine, snapshot.id, "role"),
        "expression": count_by_label(engine, snapshot.id, "expression"),
        "gender": count_by_label(engine, snapshot.id, "gender"),
        "licence": {snapshot.licence: snapshot.rows},
    }
    standing = standing_of(engine, snapshot)
    return Overview(
        snapshot,
        totals(engine, snapshot.id),
        counts,
        tuple(quarantined(engine, snapshot.id)),
        standing,
        leaks_within(engine, snapshot, standing.enrolment),
    )


def snapshot_data(snapshot: Snapshot, counted: Totals) -> dict[str, Any]:
    """A snapshot and how much it holds, for JSON."""
    created = snapshot.created.isoformat() if snapshot.created else None
    known = {name: value for name, value in vars(snapshot).items() if name not in ("rows", "created")}
    return {**known, "created": created, **counted._asdict()}


def changes(engine: Engine, before: Snapshot, after: Snapshot) -> Iterator[Difference]:
    """What changed from one snapshot to another, streamed in the order of the paths."""
    return differences(load_rows_by_path(engine, before.id), load_rows_by_path(engine, after.id))


def _named(counts: Mapping[str | None, int]) -> dict[str, int]:
    """JSON has no key for what is not known."""
    return {"" if name is None else name: many for name, many in counts.items()}
