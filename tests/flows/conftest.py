import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

from tests.flows.trinormal_command import Sandbox, ask, new_sandbox, partials, run, seed_home, started

DEMO = ("demo", "--profile", "tiny")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return new_sandbox(tmp_path)


class FirstRun(NamedTuple):
    sandbox: Sandbox
    code: int
    output: str
    errors: str


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """The whole flow in profile tiny, once for all tests, also where several processes share them."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with FileLock(root / "unbroken.lock"):
        told = root / "unbroken.json"
        if not told.is_file():
            sandbox = new_sandbox(root / "unbroken")
            done = run(sandbox, *DEMO)
            told.write_text(json.dumps([[str(path) for path in sandbox], done.returncode, done.stdout, done.stderr]))
    folders, code, output, errors = json.loads(told.read_text())
    return FirstRun(Sandbox(*map(Path, folders)), code, output, errors)


def alone_with(first: FirstRun) -> FileLock:
    """Nobody else runs in the first run's home meanwhile: while a job runs again, its run in MLflow is not finished."""
    return FileLock(first.sandbox.home.parent / "alone.lock")


class Broken(NamedTuple):
    """One interruption: the exit code, what was printed, and which children were still there after it."""

    code: int
    printed: str
    left_behind: list[str]
    half_filled: list[Path]


class Interrupted(NamedTuple):
    sandbox: Sandbox
    breaks: dict[str, Broken]
    half_filled_before_the_last: list[Path]
    last_code: int
    last_output: str


@pytest.fixture(scope="session")
def interrupted(unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    """The same job, killed in the middle of five stages and stopped by Ctrl-C in a sixth, then left to end.

    Scans, crops and images that the breaks do not touch come from the unbroken run: they are found by their content.
    """
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("interrupted"))
    redone = {"photo-shards", "photos", "expnet", "sphere20", "evaluation", "onnx"}
    seed_home(unbroken.sandbox.home, sandbox.home, without=redone)
    breaks = {name: _break_off(sandbox, *how) for name, how in _moments(sandbox.home).items()}
    waiting = partials(sandbox.home / "store")
    last = run(sandbox, *DEMO)
    return Interrupted(sandbox, breaks, waiting, last.returncode, last.stderr)


Moment = tuple[signal.Signals, Callable[[str], bool]]


def _moments(home: Path) -> dict[str, Moment]:
    """When to break the job off, in the order of its stages; a moment is seen in the log, the store or MLflow."""
    made, mlflow = home / "store", home / "mlflow" / "mlflow.db"

    def shards(_: str) -> bool:
        return len(list(made.glob("photo-shards/??/[0-9a-f]*/manifest.json"))) >= 2

    def exporting(_: str) -> bool:
        return any(made.glob("onnx/??/.*.partial"))

    def registered(_: str) -> bool:
        return bool(ask(mlflow, "select 1 from model_versions"))

    return {
        "photos": (signal.SIGKILL, shards),
        "ExpNet": (signal.SIGKILL, lambda log: "ExpNet: epoch 2/" in log),
        "Ctrl-C": (signal.SIGINT, lambda log: "pre-training: epoch 1/" in log),
        "fine-tuning": (signal.SIGKILL, lambda log: "lmcl-x: epoch 2/" in log),
        "export": (signal.SIGKILL, exporting),
        "register": (signal.SIGKILL, registered),
    }


def _break_off(sandbox: Sandbox, how: signal.Signals, reached: Callable[[str], bool]) -> Broken:
    workers = "2" if how == signal.SIGKILL else "1"  # with two, the shards are made in Dask's processes
    with started(sandbox, *DEMO, TRINORMAL_WORKERS=workers) as watched:
        watched.wait_until(lambda: reached(watched.printed))
        code = watched.end(how)
        left = [" ".join(child.cmdline()) for child in watched.living_children()]
        return Broken(code, watched.printed, left, partials(sandbox.home))
