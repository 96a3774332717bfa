"""`trinormal evaluate`: how good the champion is, on scans of one's own or on every benchmark that is there."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from flows.parameters import EvaluateAllRequest, EvaluateRequest
from models.errors import ConfigurationError

RECOGNISER = "recognizer"


def evaluate(
    scans: Annotated[
        Path | None, typer.Option(help="Folder of scans, a sub-folder for each person; or of a data set.")
    ] = None,
    all_benchmarks: Annotated[
        bool, typer.Option("--all", help="Champion, challenger and the champion before on every benchmark.")
    ] = False,
    profile: Annotated[str, typer.Option(help="With --all: whose simulated benchmarks.")] = "demo",
    gallery_rule: Annotated[
        Literal["first", "labels"],
        typer.Option(help="Enrol the first scan of each person, or those with the role gallery in labels.csv."),
    ] = "first",
    data_set: Annotated[
        Literal["bu3dfe", "frgc", "bosphorus", "bu4dfe"] | None,
        typer.Option(help="Read the folder as this data set, by its own protocol."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help=f"Name of the registered model; else {RECOGNISER}, with --all the profile's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the JSON to this file instead of the terminal.")] = None,
) -> None:
    """Rank-1 of the champion on a folder of scans, as JSON; or of all versions on all benchmarks, as a table.

    Scans that cannot be encoded count as misses.
    """
    if (scans is None) == (not all_benchmarks):
        raise ConfigurationError("say what to evaluate on: either --scans FOLDER or --all")
    if scans is None:
        _evaluate_all(EvaluateAllRequest(profile=profile, model=model), out)
    else:
        request = EvaluateRequest(scans=scans, gallery_rule=gallery_rule, data_set=data_set, model=model or RECOGNISER)
        _evaluate_scans(request, out)


def _evaluate_scans(request: EvaluateRequest, out: Path | None) -> None:
    from flows.servers import start_private_prefect
    from infra.settings import load_settings
    from models.readers.listing import list_files

    list_files(
        request.scans
    )  # a wrong folder, a wrong name or a home without champion are told before any server is up
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.evaluate import evaluate_scans
    from tasks.champion import require_champion
    from tasks.evaluate_scans import list_scans

    require_champion(request.model)
    list_scans(request.scans.absolute(), request.data_set, request.gallery_rule)
    wait_for_prefect()
    _tell(evaluate_scans(request), out)


def _evaluate_all(request: EvaluateAllRequest, out: Path | None) -> None:
    from flows.evaluation_console import print_evaluation
    from flows.servers import start_private_prefect
    from infra.profiles import load_profile
    from infra.settings import load_settings

    model = request.model or load_profile(request.profile).model_name
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.evaluate_all import evaluate_all
    from tasks.champion import require_champion

    require_champion(model)
    wait_for_prefect()
    results = evaluate_all(request)
    if out is not None:
        _tell(results, out)
    print_evaluation(results)


def _tell(results: dict[str, Any], out: Path | None) -> None:
    from infra.files import atomic_write_text

    told = json.dumps(results, indent=1) + "\n"
    if out is None:
        typer.echo(told, nl=False)
    else:
        atomic_write_text(out, told)
