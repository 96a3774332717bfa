"""The verdict of the suites on a stored snapshot, for whoever asks; needs no server."""

from pathlib import Path
from typing import NamedTuple

from expectations.report import page_of
from infra.files import atomic_write_text
from registry.manifest import Snapshot
from tasks.sources import SIMULATED
from tasks.validate import validate_snapshot
from tasks.wiring import Workspace


class Verdict(NamedTuple):
    """Whether the suites passed, one line that names rows when they did not, and the page that lists all."""

    passed: bool
    reason: str
    page: Path


def judge(workspace: Workspace, snapshot: Snapshot) -> Verdict:
    """Hold catalogue, manifest, files and contents of a snapshot against their suites; every file is hashed anew."""
    found = validate_snapshot(snapshot, Path(snapshot.source), snapshot.data_set.removeprefix(SIMULATED))
    page = workspace.home / "validation" / "snapshots" / f"{snapshot.id}.html"
    atomic_write_text(page, page_of(snapshot.name, [found]))
    return Verdict(found.passed, found.first_failure(), page)
