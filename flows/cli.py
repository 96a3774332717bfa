"""The `trinormal` command: thin words over the flows."""

import errno
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from flows import ablation_commands, backup_commands, classifier_commands, gallery_commands, promotion_commands
from flows.data_commands import data
from flows.evaluate_commands import evaluate
from flows.nightly_commands import nightly
from flows.package_commands import package
from flows.plan_commands import plan
from flows.report_commands import report
from flows.server_commands import down, lend, serve, status, up
from flows.serving import use_running_server
from infra.environment import environment
from infra.errors import InfrastructureError
from infra.interrupts import notice_ctrl_c
from infra.settings import load_settings
from models.errors import ConfigurationError, TrinormalError

app = typer.Typer(
    name="trinormal",
    help="Three-dimensional face recognition trained from two-dimensional photos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data)
app.add_typer(package)
CTRL_C = 130
STOPPED = "trinormal: stopped; the same command goes on where it was\n"
UNWRITABLE = {errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
ReconstructorOption = Annotated[str, typer.Option(help="expnet, rnet, texface, landmarks, external.")]
FolderOption = Annotated[
    Path | None, typer.Option(help="Weights or meshes made elsewhere; else the best trained here.")
]
ProfileOption = Annotated[str, typer.Option(help="tiny, demo, standard, paper, or your own .toml file.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trinormal {version('trinormal')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Three-dimensional face recognition trained from two-dimensional photos."""


@app.command()
def demo(profile: ProfileOption = "demo") -> None:
    """Make photos, reconstruct, train, evaluate and promote: the whole of the main job on simulated data."""
    from flows.console import run_training
    from flows.parameters import TrainRequest

    run_training(TrainRequest(profile=profile))


@app.command()
def train(
    photos: Annotated[Path, typer.Option(help="Folder of photos, a sub-folder for each person.")],
    profile: ProfileOption = "tiny",
    licence: Annotated[str, typer.Option(help="Licence of the photos (SPDX name); it follows the model.")] = "unknown",
) -> None:
    """Train on your own photos and evaluate on the simulated benchmark."""
    from flows.console import run_training
    from flows.parameters import TrainRequest

    run_training(TrainRequest(profile=profile, photos=photos, licence=licence))


@app.command()
def compare(
    reconstructors: Annotated[
        str, typer.Option(help="Names with commas between; NAME=FOLDER for meshes or weights made elsewhere.")
    ] = "expnet,rnet,texface,landmarks",
    profile: ProfileOption = "demo",
    photos: Annotated[Path | None, typer.Option(help="Your own photos instead of simulated ones.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of your photos (SPDX name).")] = "unknown",
) -> None:
    """Compare reconstructors: errors, rank-1, time and memory, each on the same photos and protocol."""
    from flows.console import run_comparison
    from flows.parameters import CompareRequest

    run_comparison(CompareRequest(profile=profile, reconstructors=reconstructors, photos=photos, licence=licence))


@app.command("train-reconstructor")
def train_one_reconstructor(
    name: Annotated[str, typer.Argument(help="expnet, rnet, texface, or cnet (with the rnet below it).")],
    profile: ProfileOption = "demo",
    without_labels: Annotated[
        bool, typer.Option("--without-labels", help="rnet: from photos and landmarks alone, photometric off and on.")
    ] = False,
) -> None:
    """Train one reconstructor on simulated photos; its errors are those on people it never saw."""
    from flows.console import run_reconstructor_training
    from flows.parameters import ReconstructorRequest

    run_reconstructor_training(ReconstructorRequest(name=name, profile=profile, without_labels=without_labels))


@app.command()
def coefficients(
    photos: Annotated[Path, typer.Argument(help="A folder of photos.")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    reconstructor: ReconstructorOption = "expnet",
    folder: FolderOption = None,
) -> None:
    """Coefficients of every photo in a folder as a Parquet table; what fails is a row with its reason."""
    from flows.console import run_coefficients
    from flows.parameters import CoefficientsRequest

    run_coefficients(CoefficientsRequest(photos=photos, out=out, reconstructor=reconstructor, folder=folder))


@app.command()
def reconstruct(
    photos: Annotated[Path, typer.Argument(help="A photo, or a folder of photos.")],
    out: Annotated[Path, typer.Option(help="Folder for the meshes, coefficients and pictures.")],
    reconstructor: ReconstructorOption = "expnet",
    folder: FolderOption = None,
    augment: Annotated[int, typer.Option(min=0, help="New expressions to make of each face (texface only).")] = 0,
) -> None:
    """3D faces of photos: a mesh, coefficients and normal images of each; what fails is listed with its reason."""
    from flows.console import run_reconstruct

    run_reconstruct(photos, out, reconstructor, folder, augment)


@app.command()
def encode(
    scan: Annotated[Path, typer.Argument(help="A scan: obj, ply, stl, off, wrl.")],
    out: Annotated[Path, typer.Option(help="Folder for the range image and the normal images.")],
    model: Annotated[
        str | None, typer.Option(help="Also write request.json for the served champion of this model, on its own grid.")
    ] = None,
) -> None:
    """Clean a scan, bring it upright and draw its range image and normal component images."""
    from flows.console import run_encode

    run_encode(scan, out, model)


ablation_commands.join(app)
app.command()(evaluate)
app.command()(plan)
app.command()(nightly)
classifier_commands.join(app)
promotion_commands.join(app)
backup_commands.join(app)
gallery_commands.join(app)


@app.command()
def setup() -> None:
    """Fetch the face detection and landmark networks (1.5 MB, Apache-2.0, hash-checked) into the home folder."""
    from flows.console import run_setup

    run_setup()


@app.command()
def doctor(
    basel: Annotated[
        Path | None, typer.Option(help="A folder with the Basel Face Model of 2009: check its files too.")
    ] = None,
) -> None:
    """Is this machine ready? Packages, device, disk, database, face networks, ports; what to do where it is not."""
    from flows.console import run_doctor

    run_doctor(basel)


@app.command("serve-model")
def serve_one_model(
    model: Annotated[str, typer.Argument(help="MODEL, MODEL@ALIAS or MODEL@NUMBER; else the champion.")] = "recognizer",
    port: Annotated[int, typer.Option(help="Port of the server.")] = 5001,
) -> None:
    """Answer requests with a registered model, once every byte of it was checked; Ctrl-C ends it."""
    from flows.model_server import serve_model

    serve_model(model, port)


app.command()(report)
for command in (up, down, status, serve, lend):
    app.command()(command)


def _make_home(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror}; set TRINORMAL_HOME to a folder you may write") from None


def main() -> None:
    """Run the command; an error people can mend is one line and exit code 2."""
    try:
        notice_ctrl_c()
        settings = load_settings()
        os.environ.update(environment(settings))
        _make_home(settings.prefect_home)
        use_running_server(settings)
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        app()
    except (TrinormalError, InfrastructureError) as error:
        sys.stderr.write(f"trinormal: {error}\n")
        raise SystemExit(2) from None
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        where = error.filename or load_settings().home
        sys.stderr.write(f"trinormal: {where}: {error.strerror}; make room or set TRINORMAL_HOME to another folder\n")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write(STOPPED)
        raise SystemExit(CTRL_C) from None
    except SystemExit as ended:  # Typer's own answer to Ctrl-C says nothing
        if ended.code == CTRL_C:
            sys.stderr.write(STOPPED)
        raise
