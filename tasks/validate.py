"""Nothing trains on a snapshot that a suite of expectations refuses."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd
from prefect import task
from prefect.artifacts import create_markdown_artifact

from expectations.photo_manifest import COLUMNS, validate_photo_manifest
from infra.files import atomic_write_text
from infra.store import Artefact
from models.errors import ValidationFailed
from registry.catalogue import Snapshot, load_rows
from tasks import policies
from tasks.files import read_json, write_json
from tasks.stages import make
from tasks.wiring import Workspace, open_workspace


@task(name="validate photos", **policies.CHECK)
def require_valid_photos(snapshot: Snapshot, fewest_people: int = 2, fewest_photos: int = 2) -> Artefact:
    """Hold the photo suite against the snapshot's manifest; raises `ValidationFailed` naming rows.

    The verdict on a snapshot is an artefact: `report.html`, `report.md` and `verdict.json`.
    """
    workspace = open_workspace()
    limits = {"fewest_people": fewest_people, "fewest_photos": fewest_photos}

    def build(folder: Path, _: Path) -> None:
        report = validate_photo_manifest(_manifest(workspace, snapshot), fewest_people, fewest_photos)
        atomic_write_text(folder / "report.html", report.to_html())
        atomic_write_text(folder / "report.md", report.to_markdown())
        write_json(folder / "verdict.json", {"passed": report.passed, "reason": report.first_failure()})

    made = make(workspace, "photo-validation", [snapshot.id], limits, ["expectations.photo_manifest"], build)
    markdown = (made.path / "report.md").read_text(encoding="utf-8")
    create_markdown_artifact(markdown, key="photo-validation", description=f"snapshot {snapshot.id[:12]}")
    verdict = read_json(made.path / "verdict.json")
    if not verdict["passed"]:
        raise ValidationFailed(f"{snapshot.name}: {verdict['reason']}; {made.path / 'report.html'} lists all")
    return made


def _manifest(workspace: Workspace, snapshot: Snapshot) -> pd.DataFrame:
    rows = [asdict(row) for row in load_rows(workspace.engine, snapshot.id)]
    return pd.DataFrame(rows, columns=list(COLUMNS))
