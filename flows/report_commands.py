"""`trinormal report`: the newest report of a profile, and the papers' tables with our figures beside theirs."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    tables: Annotated[bool, typer.Option("--tables", help="The papers' tables, ours beside theirs.")] = False,
    profile: Annotated[str | None, typer.Option(help="Only runs of this profile; else the newest of any.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; else the home folder's reports.")] = None,
) -> None:
    """Write the newest report, or the papers' tables, from what MLflow holds."""
    from infra.settings import load_settings

    folder = out or load_settings().home / "reports"
    if tables:
        _write_tables(folder, profile)
    else:
        _fetch_report(folder, profile)


def _write_tables(folder: Path, profile: str | None) -> None:
    from flows.console import console
    from tasks.tables import write_tables
    from tasks.wiring import open_workspace

    laid = write_tables(folder, open_workspace().tracker, profile)
    for each in laid:
        ours = sum(answer.ours is not None for answer in each.answers.values())
        wanted = sum(answer.cell.ours is not None for answer in each.answers.values())
        data = ", ".join(sorted({data for _, data in each.runs})) or "; ".join(each.lacks)
        console.print(f"{each.table.key}  {ours:2d} of {wanted:2d} figures  {data}", soft_wrap=True)
    console.print(f"tables   {folder / 'tables.md'}", soft_wrap=True)
    console.print(f"page     {folder / 'tables.html'}", soft_wrap=True)


def _fetch_report(folder: Path, profile: str | None) -> None:
    from flows.console import console
    from models.errors import AssetMissing
    from registry.reported import file_of, finished_runs
    from tasks.evaluation_lookup import take_in_newest
    from tasks.jobs import EXPERIMENT
    from tasks.wiring import open_workspace

    tracker = open_workspace().tracker
    folder.mkdir(parents=True, exist_ok=True)
    for run in finished_runs(tracker, EXPERIMENT, {"profile": profile} if profile else None):
        path = file_of(tracker, run.run_id, "report.html", folder)
        if path is not None:
            told = take_in_newest(tracker, path, run.tags.get("profile", ""))
            console.print(f"report   {path} (run {run.run_id}, {run.name}{told})", soft_wrap=True)
            return
    which = f" of profile {profile}" if profile else ""
    raise AssetMissing(f"no finished run{which} keeps a report: make one with trinormal demo or trinormal train")
