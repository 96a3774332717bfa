"""The process that carries out what the Prefect server asks for: `python -m flows.runner`.

With a work pool it makes the deployments known on the pool and works for it, a process a run; with `register` as its
argument it only makes them known, for a pool whose workers are elsewhere.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, cast
from uuid import UUID

from flows.services import runner_file
from infra.environment import environment
from infra.files import atomic_write_text
from infra.settings import Settings, load_settings


def carry_out(only_register: bool = False) -> None:
    """Make deployments and automations known, then run what is asked for until SIGTERM or Ctrl-C."""
    from prefect.exceptions import TerminationSignal

    settings = load_settings()
    working = _through_pool(settings) if settings.work_pool else _in_this_process(settings)
    if only_register:
        working.close()
        return
    atomic_write_text(runner_file(settings.home), f"{os.getpid()}\n")
    try:
        asyncio.run(working)
    except (KeyboardInterrupt, TerminationSignal):
        return


def _in_this_process(settings: Settings) -> Coroutine[Any, Any, None]:
    """A runner that starts every run as its child."""
    from prefect.runner import Runner

    from flows.deployments import deployments

    # paused on shutdown, a slow old runner would pause the deployments of the next one
    runner = Runner(pause_on_shutdown=False)
    _automate([cast("UUID", runner.add_deployment(deployment)) for deployment in deployments()], settings)
    return runner.start()


def _through_pool(settings: Settings) -> Coroutine[Any, Any, None]:
    from flows.deployments import deployments
    from flows.work_pool import register, work

    _automate(register(deployments(), settings.work_pool), settings)
    return work(settings.work_pool)


def _automate(ids: list[UUID], settings: Settings) -> None:
    from flows.automations import apply_automations
    from flows.deployments import OFFERS, full_name

    deployed = {full_name(offer): known for offer, known in zip(OFFERS, ids, strict=True)}
    apply_automations(deployed, settings.webhook_url)


if __name__ == "__main__":
    os.environ.update(environment(load_settings()))
    carry_out("register" in sys.argv[1:])
