"""`trinormal package`: registered models as signed folders that can be carried elsewhere, and whom to trust."""

from pathlib import Path
from typing import Annotated

import typer

package = typer.Typer(
    name="package",
    help="Signed packages of registered models: export, verify, and whose to trust.",
    no_args_is_help=True,
)
ModelArgument = Annotated[str, typer.Argument(help="MODEL, MODEL@ALIAS or MODEL@NUMBER; else the champion.")]


@package.command()
def export(
    model: ModelArgument, out: Annotated[Path, typer.Option(help="The folder to write; it must not be there yet.")]
) -> None:
    """Write a version's package: graphs, weights, model card, bill of materials, manifest, signature."""
    from flows.package_console import run_export

    run_export(model, out)


@package.command()
def verify(folder: Annotated[Path, typer.Argument(help="A package.")]) -> None:
    """Check every byte of a package against what was signed; exit code 2 where it differs."""
    from flows.package_console import run_verify

    run_verify(folder)


@package.command()
def key(
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead of the terminal.")] = None,
) -> None:
    """This home's public key, in PEM, for those who are to trust its packages."""
    from flows.package_console import run_key

    run_key(out)


@package.command()
def trust(
    public: Annotated[Path, typer.Argument(help="A file that somebody's `trinormal package key` wrote.")],
    name: Annotated[str, typer.Option("--as", help="What to call them.")],
) -> None:
    """Accept the packages that somebody else signs."""
    from flows.package_console import run_trust

    run_trust(public, name)
