"""`trinormal data`: what there is to train on and to test with, and what is known of it."""

from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    name="data", help="Data sets as immutable snapshots: add, look, compare, validate.", no_args_is_help=True
)
SnapshotArgument = Annotated[str, typer.Argument(help="A snapshot's name, or the beginning of its id.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


@data.command()
def add(
    data_set: Annotated[str, typer.Argument(help="A data set, or folder (photos or scans), or manifest (a CSV).")],
    folder: Annotated[Path, typer.Argument(help="The folder that holds it; for a manifest the CSV file.")],
    name: Annotated[str | None, typer.Option(help="What to call it; else the folder's name.")] = None,
    licence: Annotated[str | None, typer.Option(help="SPDX name; it follows every model. Else the data set's.")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV: path and labels of files, or subject,gender.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Only hash; do not see whether files can be read.")] = False,
) -> None:
    """List every file of a data set with its hash, labels and licence; what cannot be read is set aside and counted."""
    from flows.data_console import run_add

    run_add(data_set=data_set, folder=folder, name=name, licence=licence, labels=labels, fast=fast)


@data.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """All snapshots, the newest last."""
    from flows.data_console import run_list

    run_list(as_json)


@data.command()
def show(snapshot: SnapshotArgument, as_json: JsonOption = False) -> None:
    """What is in a snapshot: people, labels, failures, the published set, protocols, and what guards found."""
    from flows.data_console import run_show

    run_show(snapshot, as_json)


@data.command()
def diff(before: SnapshotArgument, after: SnapshotArgument, as_json: JsonOption = False) -> None:
    """What was added, removed, changed or relabelled from one snapshot to another."""
    from flows.data_console import run_diff

    run_diff(before, after, as_json)


@data.command()
def validate(snapshot: SnapshotArgument) -> None:
    """Hold the suite of expectations for photos or scans against a snapshot; exit code 2 where it refuses."""
    from flows.data_console import run_validate

    run_validate(snapshot)


@data.command()
def preview(
    file: Annotated[Path, typer.Argument(help="A photo or a scan.")],
    out: Annotated[Path, typer.Option(help="The PNG file to write.")],
) -> None:
    """A picture of one file: a photo with the points found in it, or a scan's range image and normals."""
    from flows.data_console import run_preview

    run_preview(file, out)
