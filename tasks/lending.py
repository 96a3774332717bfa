"""A machine that lends its processors to the trainings of another: it waits for one, takes its part, waits again."""

import tempfile
import time
from pathlib import Path

from infra.interrupts import pressed
from infra.settings import Settings
from models.errors import ConfigurationError
from tasks.nodes import ELSEWHERE, LENT
from tasks.progress import announce
from tasks.ranks import launcher, run_to_end

AGAIN_AFTER_S = 1.0
LONGEST_PAUSE_S = 15.0


def lend(settings: Settings, node: int, trainings: int | None = None) -> None:
    """Be node `node` of every training, or of so many, until Ctrl-C.

    One that fails, here or elsewhere, is left to the first machine, which goes on from its checkpoint when it is asked
    again. Raises `ConfigurationError` for a node that is none of those of the settings.
    """
    if settings.training_nodes < 2 or not 1 <= node < settings.training_nodes:
        raise ConfigurationError(
            f"node {node} of {settings.training_nodes}: with TRINORMAL_TRAINING_NODES=N the others are 1 to N-1"
        )
    log, pause, done = settings.home / "logs" / "training.log", AGAIN_AFTER_S, 0
    announce(f"node {node} of {settings.training_nodes} waits for trainings at {settings.training_address}")
    (settings.home / "scratch").mkdir(parents=True, exist_ok=True)
    while not pressed.is_set() and (trainings is None or done < trainings):
        with tempfile.TemporaryDirectory(dir=settings.home / "scratch") as scratch:
            code = run_to_end([*launcher(settings, node), LENT, scratch, scratch], log)
            took_part = (Path(scratch) / ELSEWHERE).is_file()
        if took_part:
            announce(f"node {node}: its part of a training " + ("is done" if code == 0 else f"failed; {log} says why"))
        done += took_part and code == 0
        pause = AGAIN_AFTER_S if took_part else min(2 * pause, LONGEST_PAUSE_S)
        time.sleep(pause)
