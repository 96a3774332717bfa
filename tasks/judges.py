"""The verdict of the suites on a stored snapshot, for whoever asks; needs no server."""

from pathlib import Path
from typing import NamedTuple

from expectations.report import page_of
from infra.files import atomic_write_text
from registry.manifest import Snapshot
from tasks.inspections import inspect_snapshot
from tasks.sources import SIMULATED
from tasks.wiring import Workspace

FEWEST = 1
"""People, and files of each: a look at any snapshot, not a licence to train on it."""


class Verdict(NamedTuple):
    """Whether the suites passed, one line that names rows when they did not, and the page that lists all."""

    passed: bool
    reason: str
    page: Path


def judge(workspace: Workspace, snapshot: Snapshot) -> Verdict:
    """Hold catalogue, manifest, files and contents of a snapshot against their suites; every file is hashed anew."""
    data_set = snapshot.data_set.removeprefix(SIMULATED)
    found = inspect_snapshot(workspace, snapshot, Path(snapshot.source), FEWEST, FEWEST, data_set)
    page = workspace.home / "validation" / "snapshots" / f"{snapshot.id}.html"
    atomic_write_text(page, page_of(snapshot.name, [found]))
    return Verdict(found.passed, found.first_failure(), page)
