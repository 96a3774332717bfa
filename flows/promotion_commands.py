"""`trinormal promote`, `rollback` and `history`: who serves, how that changes, and how it came about."""

from pathlib import Path
from typing import Annotated

import typer

ModelArgument = Annotated[str, typer.Argument(help="Name of the registered model.")]


def promote(
    model: ModelArgument,
    version: Annotated[str, typer.Argument(help="Number of the version; else the challenger.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the gate says.")] = False,
    approve: Annotated[
        str, typer.Option(metavar="WHY", help="Your approval with its reason, for a model that needs one.")
    ] = "",
    ask: Annotated[bool, typer.Option("--ask", help="Wait for a person's word in the Prefect UI.")] = False,
    licence_override: Annotated[
        str | None, typer.Option(metavar="WHY", help="Why a model of restricted data may serve all the same.")
    ] = None,
) -> None:
    """Hold the gate against a version and make it champion; exit code 1 where it is refused."""
    from flows.promotion_console import run_promote

    run_promote(
        model=model,
        version=version,
        dry_run=dry_run,
        approval=approve,
        ask=ask,
        licence_override=licence_override,
    )


def rollback(
    model: ModelArgument,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")],
) -> None:
    """Give the place back to the previous champion, which has to answer before it serves."""
    from flows.promotion_console import run_rollback

    run_rollback(model=model, reason=reason)


def history(
    model: ModelArgument,
    out: Annotated[Path | None, typer.Option(help="Write all that is known as JSON to this file.")] = None,
) -> None:
    """Every candidate, verdict, approval and change of a model, the oldest first; the chain is checked."""
    from flows.promotion_console import run_history

    run_history(model, out)


def join(app: typer.Typer) -> None:
    """Add the commands to `trinormal`."""
    for command in (promote, rollback, history):
        app.command()(command)
