"""The process that carries out what the Prefect server asks for: `python -m flows.runner`."""

import asyncio
import os
from typing import cast
from uuid import UUID

from flows.services import runner_file
from infra.environment import environment
from infra.files import atomic_write_text
from infra.settings import load_settings


def carry_out() -> None:
    """Make deployments and automations known, then run what is asked for until SIGTERM or Ctrl-C."""
    from prefect.exceptions import TerminationSignal
    from prefect.runner import Runner

    from flows.automations import apply_automations
    from flows.deployments import OFFERS, deployments, full_name

    # paused on shutdown, a slow old runner would pause the deployments of the next one
    runner = Runner(pause_on_shutdown=False)
    ids = [cast("UUID", runner.add_deployment(deployment)) for deployment in deployments()]
    deployed = {full_name(offer): known for offer, known in zip(OFFERS, ids, strict=True)}
    settings = load_settings()
    apply_automations(deployed, settings.webhook_url)
    atomic_write_text(runner_file(settings.home), f"{os.getpid()}\n")
    try:
        asyncio.run(runner.start())
    except (KeyboardInterrupt, TerminationSignal):
        return


if __name__ == "__main__":
    os.environ.update(environment(load_settings()))
    carry_out()
