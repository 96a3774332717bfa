"""`trinormal evaluate`: how good the champion is on scans of one's own."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def evaluate(
    scans: Annotated[Path, typer.Option(help="Folder of scans, a sub-folder for each person; or of a data set.")],
    gallery_rule: Annotated[
        Literal["first", "labels"],
        typer.Option(help="Enrol the first scan of each person, or those with the role gallery in labels.csv."),
    ] = "first",
    data_set: Annotated[
        Literal["bu3dfe", "frgc", "bosphorus", "bu4dfe"] | None,
        typer.Option(help="Read the folder as this data set, by its own protocol."),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of the registered model.")] = "recognizer",
    out: Annotated[Path | None, typer.Option(help="Write the JSON to this file instead of the terminal.")] = None,
) -> None:
    """Rank-1 of the champion on a folder of scans, as JSON; scans that cannot be encoded count as misses."""
    from flows.parameters import EvaluateRequest
    from flows.servers import start_private_prefect
    from infra.files import atomic_write_text
    from infra.settings import load_settings
    from models.readers.listing import list_files

    request = EvaluateRequest(scans=scans, gallery_rule=gallery_rule, data_set=data_set, model=model)
    list_files(scans)  # a wrong folder, a wrong name or a home without champion are told before any server is up
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.evaluate import evaluate_scans
    from tasks.champion import require_champion
    from tasks.evaluate_scans import scans_to_search

    require_champion(model)
    scans_to_search(scans.absolute(), data_set, gallery_rule)
    wait_for_prefect()
    told = json.dumps(evaluate_scans(request), indent=1) + "\n"
    if out is None:
        typer.echo(told, nl=False)
    else:
        atomic_write_text(out, told)
