"""Data sets become snapshots: every file hashed and listed once, for good."""

import hashlib
from typing import NamedTuple

from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.files import canonical_json
from infra.store import Artefact
from registry.catalogue import add_snapshot, find_listing, list_snapshots
from registry.contents import Quarantined, quarantined, totals
from registry.manifest import Snapshot, row_digest
from tasks import policies
from tasks.checks import check_blocks, joined_rows
from tasks.sources import SIMULATED, Source
from tasks.wiring import open_workspace

SHOWN = 20


class Checked(NamedTuple):
    """What was found in a source's files, in blocks; `listing` is the hash of all rows in the order of the index."""

    blocks: list[Artefact]
    listing: str
    rows: int
    failures: int


class Added(NamedTuple):
    """A snapshot, and whether it was not there before."""

    snapshot: Snapshot
    new: bool


@task(name="check files", **policies.STAGE)
def check_files(source: Source, parse: bool = True) -> Checked:
    """Hash every file of a source and, with `parse`, see that it can be read; what cannot gets its reason.

    A block of files is checked once: after an interruption the rest is, and again only what has changed since.
    """
    listed = hashlib.sha256()
    blocks: list[Artefact] = []
    rows = failures = 0
    for block in check_blocks(open_workspace(), source, parse):
        blocks.append(block.artefact)
        for row in block.rows(source.reading().role):
            listed.update(row_digest(row).encode())
            rows, failures = rows + 1, failures + (row.failure is not None)
    return Checked(blocks, listed.hexdigest(), rows, failures)


@task(name="write snapshot", **policies.STAGE)
def write_snapshot(source: Source, checked: Checked, name: str, licence: str, simulated: bool = False) -> Added:
    """The checked files as an immutable list in the catalogue; a list that is there already is not written again."""
    engine = open_workspace().engine
    data_set = f"{SIMULATED}{source.data_set}" if simulated else source.data_set
    heading = canonical_json({"kind": source.kind, "licence": licence, "data_set": data_set, "rows": checked.listing})
    listing = hashlib.sha256(heading.encode()).hexdigest()
    known = find_listing(engine, listing)
    if known is not None:
        return Added(known, new=False)
    before = {snapshot.id for snapshot in list_snapshots(engine)}
    snapshot = add_snapshot(
        engine,
        joined_rows(source, checked.blocks),
        name=name,
        kind=source.kind,
        licence=licence,
        source=str(source.root),
        data_set=data_set,
        listing=listing,
    )
    return Added(snapshot, new=snapshot.id not in before)


def take_snapshot(source: Source, name: str, licence: str, *, parse: bool = True, simulated: bool = False) -> Snapshot:
    """Both tasks after each other, for flows that need the snapshot of a source on their way."""
    return write_snapshot(source, check_files(source, parse), name, licence, simulated).snapshot


@task(name="tell snapshot", **policies.REGISTER)
def tell_snapshot(added: Added) -> None:
    """What was listed as a table among Prefect's artifacts."""
    snapshot = added.snapshot
    counted = totals(open_workspace().engine, snapshot.id)
    lines = [
        f"**{snapshot.name}** ({snapshot.data_set}, {snapshot.licence}), snapshot `{snapshot.id[:12]}`\n",
        "| | |",
        "| --- | --- |",
        *(f"| {name.replace('_', ' ')} | {number} |" for name, number in counted._asdict().items()),
        *(f"| {path.replace('|', ' ')} | {reason.replace('|', ' ')} |" for path, reason in _first(snapshot)),
    ]
    create_markdown_artifact("\n".join(lines), key="data-snapshot", description=f"snapshot {snapshot.id[:12]}")


def _first(snapshot: Snapshot) -> list[Quarantined]:
    return list(quarantined(open_workspace().engine, snapshot.id, SHOWN))
