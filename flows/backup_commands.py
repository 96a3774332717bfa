"""`trinormal backup` and `trinormal restore`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.backup import Summary, back_up, restore
from infra.settings import load_settings

console = Console()


def backup_home(
    file: Annotated[Path, typer.Argument(help="The file to write; it will hold keys, so guard it.")],
) -> None:
    """Store, databases, MLflow, Prefect and keys in one file; nothing has to be stopped for it."""
    settings = load_settings()
    _tell("backed up", back_up(settings, file.absolute()), f"from {settings.home} to {file}")
    if settings.store_url:
        console.print(f"not in it: what only {settings.store_url} holds; keep versions of that bucket", soft_wrap=True)


def restore_home(file: Annotated[Path, typer.Argument(help="A file that `trinormal backup` wrote.")]) -> None:
    """Put a backup back; refused where it is damaged, where a home is in use, or a database is not empty."""
    settings = load_settings()
    _tell("restored", restore(settings, file.absolute()), f"from {file} to {settings.home}")


def _tell(what: str, summary: Summary, where: str) -> None:
    size = f"{summary.size_bytes / 1e6:.1f} MB"
    console.print(f"{what} {summary.files} files, {size}, {summary.databases} databases {where}", soft_wrap=True)


def join(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("backup")(backup_home)
    app.command("restore")(restore_home)
