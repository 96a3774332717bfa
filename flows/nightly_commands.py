"""`trinormal nightly`: what the schedule does every night, by hand."""

from typing import Annotated

import typer

from flows.parameters import NightlyRequest


def nightly(
    profile: Annotated[str, typer.Option(help="Whose simulated benchmarks.")] = "demo",
    model: Annotated[str | None, typer.Option(help="Name of the registered model; else the profile's.")] = None,
) -> None:
    """Evaluate all versions on all benchmarks, look for regressions, drift and bad new data, and write the page."""
    from flows.evaluation_console import print_night
    from flows.servers import start_private_prefect
    from infra.profiles import load_profile
    from infra.settings import load_settings

    request = NightlyRequest(profile=profile, model=model)
    name = model or load_profile(profile).model_name
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.nightly import nightly as run_night
    from tasks.champion import require_champion

    require_champion(name)
    wait_for_prefect()
    print_night(run_night(request))
