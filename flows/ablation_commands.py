"""`trinormal ablations`: every table of paper A in one run; `trinormal experiment`: what is beyond the papers."""

from pathlib import Path
from typing import Annotated, Any

import typer


def ablations(
    profile: Annotated[str, typer.Option(help="tiny, demo, standard, paper, or your own .toml file.")] = "demo",
    reconstructors: Annotated[
        str, typer.Option(help="Names with commas between; the first is trained with both losses.")
    ] = "expnet,texface",
    benchmarks: Annotated[
        str, typer.Option(help="bu3dfe, frgc, bosphorus, bu4dfe, merged; with commas between.")
    ] = "bu3dfe,frgc,bosphorus,bu4dfe,merged",
    photos: Annotated[Path | None, typer.Option(help="Your own photos instead of simulated ones.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of your photos (SPDX name).")] = "unknown",
) -> None:
    """Axes, losses, reconstructors, baseline and merged set on every benchmark; fills tables 1 to 8 of paper A."""
    from flows.known import require_benchmarks, require_known
    from flows.parameters import AblationsRequest
    from flows.servers import start_private_prefect
    from infra.profiles import load_profile
    from infra.settings import load_settings
    from models.readers.folder import index_photos

    request = AblationsRequest(
        profile=profile, reconstructors=reconstructors, benchmarks=benchmarks, photos=photos, licence=licence
    )
    load_profile(profile)
    require_known(reconstructors.split(","))
    require_benchmarks(benchmarks.split(","))
    if photos is not None:
        index_photos(photos)  # a wrong folder is told before the servers start
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.ablations import ablations as run_ablations
    from flows.recognizer import output_folder

    wait_for_prefect()
    _tell(run_ablations(request), output_folder(photos, load_profile(profile)))


def experiment(
    name: Annotated[str, typer.Argument(help="pose, occlusion, few-scans or recognition-aware.")],
    profile: Annotated[str, typer.Option(help="tiny, demo, standard, paper, or your own .toml file.")] = "demo",
    benchmarks: Annotated[str, typer.Option(help="bu3dfe, frgc, bosphorus, bu4dfe; with commas between.")] = "bu3dfe",
) -> None:
    """Beyond the papers: stress tests, a few scans in training, a reconstructor that knows of recognition."""
    from flows.known import require_benchmarks, require_experiment
    from flows.parameters import ExperimentRequest
    from flows.servers import start_private_prefect
    from infra.profiles import load_profile
    from infra.settings import load_settings

    require_experiment(name)
    loaded = load_profile(profile)
    request = ExperimentRequest.model_validate({"name": name, "profile": profile, "benchmarks": benchmarks})
    require_benchmarks(benchmarks.split(","))
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.console import console, show_sections
    from flows.experiments import experiment as run_experiment
    from flows.recognizer import output_folder
    from tasks.experiment_report import sections_of

    wait_for_prefect()
    show_sections(sections_of(run_experiment(request)))
    console.print(f"report   {output_folder(None, loaded) / f'experiment-{name}.html'}", soft_wrap=True)


def join(app: typer.Typer) -> None:
    """Add the commands to `trinormal`."""
    app.command()(ablations)
    app.command()(experiment)


def _tell(results: dict[str, Any], folder: Path) -> None:
    """Every table on the terminal, and where everything is."""
    from flows.console import console, show_sections
    from tasks.ablation_report import sections_of

    show_sections(sections_of(results))
    console.print(f"report   {folder / 'ablations.html'}", soft_wrap=True)
    console.print(f"results  {folder / 'ablations.json'}", soft_wrap=True)
    console.print("tables   trinormal report --tables")
