"""Trainings spread over processes: `torch.distributed.run` as a child that ends with us, however that happens."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import IO, NamedTuple

from infra import leash
from infra.errors import InfrastructureError
from infra.files import remove
from infra.interrupts import pressed
from infra.settings import Settings
from infra.store import open_store
from tasks.files import read_json
from tasks.nodes import save_portable
from tasks.progress import announce
from tasks.spec import save_spec

SPEC, FAILURE = "training.safetensors", "failure.json"
LOOK_EVERY_S = 0.2
GRACE_S = 15.0
_one_at_a_time = Lock()


class TrainingError(InfrastructureError):
    """A training on several processes failed."""


def run_ranks(settings: Settings, work: str, folder: Path, scratch: Path, told: NamedTuple) -> float:
    """`work` (see `tasks.rank`) on as many processes as the settings say; returns the seconds it took.

    One training at a time: each uses all processes. Killed and started again it goes on from its checkpoint in
    `scratch`. Raises `TrainingError` with the reason that a process gave.
    """
    with _one_at_a_time:
        start = time.perf_counter()
        save_spec(scratch / SPEC, told)
        if settings.training_nodes > 1:
            save_portable(scratch, told, settings, open_store(settings.store, settings.store_url))
        remove(scratch / FAILURE)
        log = settings.home / "logs" / "training.log"
        code = run_to_end([*launcher(settings, 0), work, str(folder), str(scratch)], log)
        if code != 0:
            reason = f"{log} says why" + ("; are all other nodes up?" if settings.training_nodes > 1 else "")
            known = read_json(scratch / FAILURE)["reason"] if (scratch / FAILURE).is_file() else reason
            raise TrainingError(f"training on {settings.training_ranks} processes: {known}")
        return time.perf_counter() - start


def launcher(settings: Settings, node: int) -> list[str]:
    """What starts the processes of a node, the first of which is 0: it is the one where flows run."""
    processes = ["--nproc-per-node", str(settings.training_processes), "--max-restarts", "0"]
    where = ["--standalone"]
    if settings.training_nodes > 1:
        host, _, port = settings.training_address.rpartition(":")
        where = ["--nnodes", str(settings.training_nodes), "--node-rank", str(node)]
        where += ["--master-addr", host, "--master-port", port]
    return [sys.executable, "-m", "torch.distributed.run", *where, *processes, "-m", "tasks.rank"]


def run_to_end(command: list[str], log: Path) -> int:
    """Run a launcher to its end, passing on what it tells; its exit code."""
    with _started(command, log) as process:
        assert process.stdout is not None  # noqa: S101 - asked for below
        telling = Thread(target=_pass_on, args=(process.stdout,), daemon=True)
        telling.start()
        while process.poll() is None and not pressed.is_set():
            time.sleep(LOOK_EVERY_S)
        if pressed.is_set():
            raise KeyboardInterrupt
        telling.join(GRACE_S)
        return process.wait()


@contextmanager
def _started(command: list[str], log: Path) -> Generator[subprocess.Popen[str]]:
    """The command on its leash: it ends with the block, and also when this process is killed."""
    log.parent.mkdir(parents=True, exist_ok=True)
    held = [sys.executable, "-I", leash.__file__, str(os.getpid()), *command]
    with log.open("ab") as errors:
        process = subprocess.Popen(held, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _pass_on(lines: IO[str]) -> None:
    for line in lines:
        announce(line.rstrip())
