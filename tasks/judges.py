"""The verdict of a suite of expectations on a stored snapshot, for whoever asks; needs no server."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from expectations.photo_manifest import COLUMNS, validate_photo_manifest
from infra.files import atomic_write_text
from models.errors import ConfigurationError
from registry.catalogue import load_rows, verify_snapshot
from registry.manifest import Snapshot
from tasks.files import read_json, write_json
from tasks.stages import make
from tasks.wiring import Workspace

FEWEST = 1
"""People, and files of each: a look at any snapshot, not a licence to train on it."""


class Verdict(NamedTuple):
    """Whether a suite passed, one line that names rows when it did not, and the page that lists all."""

    passed: bool
    reason: str
    page: Path


def judge(workspace: Workspace, snapshot: Snapshot) -> Verdict:
    """Hold the suite for what the snapshot lists against it, once its rows are what they were when it was taken.

    Raises `RegistryError` on a snapshot that was tampered with, `ConfigurationError` where its kind has no suite.
    """
    verify_snapshot(workspace.engine, snapshot.id)
    if snapshot.kind not in JUDGES:
        raise ConfigurationError(f"{snapshot.name}: no suite of expectations for {snapshot.kind}s; have {list(JUDGES)}")
    return JUDGES[snapshot.kind](workspace, snapshot)


def judge_photos(workspace: Workspace, snapshot: Snapshot) -> Verdict:
    """The photo suite on the manifest."""

    def build(folder: Path, _: Path) -> None:
        rows = [asdict(row) for row in load_rows(workspace.engine, snapshot.id)]
        report = validate_photo_manifest(pd.DataFrame(rows, columns=list(COLUMNS)), FEWEST, FEWEST)
        atomic_write_text(folder / "report.html", report.to_html())
        write_json(folder / "verdict.json", {"passed": report.passed, "reason": report.first_failure()})

    limits = {"fewest": FEWEST}
    made = make(workspace, "snapshot-validation", [snapshot.id], limits, ["expectations.photo_manifest"], build)
    said = read_json(made.path / "verdict.json")
    return Verdict(bool(said["passed"]), str(said["reason"]), made.path / "report.html")


JUDGES: Mapping[str, Callable[[Workspace, Snapshot], Verdict]] = {"photo": judge_photos}
"""The suite of each kind of snapshot."""
