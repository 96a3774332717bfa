"""The real command in processes of its own: run, watched, interrupted, and its children counted."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from flows.cli import main; main()"]
PRODUCTS = ("TRINORMAL_", "PREFECT_", "MLFLOW_")
VARIANTS = ("baseline", "ce", "lmcl")
LONGEST_S = 1500.0


class Sandbox(NamedTuple):
    """A person's machine: the product's home, their own home folder, where they stand, and the temporary folder."""

    home: Path
    person: Path
    cwd: Path
    temporary: Path

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PRODUCTS)}
        own = {
            "TRINORMAL_HOME": str(self.home),
            "TRINORMAL_WORKERS": "1",
            "OMP_NUM_THREADS": "1",
            "HOME": str(self.person),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(REPOSITORY),
            "COLUMNS": "200",
        }
        for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            inherited.pop(name, None)
        return {**inherited, **own, **more}

    def litter(self) -> list[Path]:
        """What lies where the product must write nothing."""
        return [path for folder in (self.person, self.cwd, self.temporary) for path in folder.rglob("*")]


def new_sandbox(folder: Path) -> Sandbox:
    sandbox = Sandbox(*(folder / name for name in ("home", "person", "cwd", "temporary")))
    for path in sandbox[1:]:
        path.mkdir(parents=True)
    return sandbox


def run(sandbox: Sandbox, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=sandbox.environment(**more),
        cwd=sandbox.cwd,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@contextmanager
def started(sandbox: Sandbox, *arguments: str, **more: str) -> Iterator["Watched"]:
    """The command at work; whatever happens, nothing of it is left afterwards."""
    log = sandbox.home.parent / f"output-{time.time_ns()}.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=sandbox.environment(**more), cwd=sandbox.cwd, stdout=output, stderr=output
        )
    watched = Watched(process, log, set())
    try:
        yield watched
    finally:
        watched.see_children()
        for member in [psutil.Process(process.pid)] if process.poll() is None else []:
            member.kill()
        for child in watched.living_children():
            child.kill()
        process.wait()


class Watched(NamedTuple):
    """A running command, what it has printed, and every child it was ever seen to have."""

    process: subprocess.Popen[bytes]
    log: Path
    children: set[psutil.Process]

    @property
    def printed(self) -> str:
        return self.log.read_text(errors="replace")

    def see_children(self) -> None:
        try:
            self.children.update(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return

    def living_children(self) -> list[psutil.Process]:
        return [child for child in self.children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Raises if the command ends, or much time passes, before the moment is there."""
        deadline = time.monotonic() + LONGEST_S
        while not reached():
            assert self.process.poll() is None, f"ended too early:\n{self.printed}"
            assert time.monotonic() < deadline, f"never got there:\n{self.printed}"
            self.see_children()
            time.sleep(0.02)
        self.see_children()

    def end(self, how: signal.Signals) -> int:
        """Send a signal to the command itself, and wait for it and for its children; its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(60)
        psutil.wait_procs(self.living_children(), timeout=30)
        return code


def results_of(home: Path, folder: str = "tiny") -> dict[str, Any]:
    return json.loads((home / folder / "results.json").read_text())


def figures(results: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on how often a job was interrupted."""
    return {name: value for name, value in results.items() if name not in ("seconds", "peak_memory_mb")}


def contents(home: Path) -> dict[str, str]:
    """Every complete artefact's manifest, by its place in the store: sizes and hashes of all its files.

    All but the checks of files: they are named by what the file system says (inode, times), not by what files hold.
    """
    return {
        str(manifest.parent.relative_to(home / "store")): manifest.read_text()
        for manifest in sorted((home / "store").glob("*/??/*/manifest.json"))
        if not manifest.parent.name.startswith(".") and manifest.parts[-4] != "file-checks"
    }


def partials(home: Path) -> list[Path]:
    return [path for path in home.rglob(".*.partial") if "cache" not in path.relative_to(home).parts]


def ask(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of an SQLite file, or none while its tables are not there yet."""
    if not database.is_file():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def seed_home(source: Path, target: Path, without: Collection[str]) -> None:
    """A new home with compiled kernels and the artefacts of some stages; it has no runs, no ledger, no lineage."""
    shutil.copytree(source / "cache", target / "cache")
    for stage in sorted((source / "store").iterdir()):
        if stage.name not in without:
            shutil.copytree(stage, target / "store" / stage.name, copy_function=os.link)
            shutil.copytree(source / "timings" / stage.name, target / "timings" / stage.name)
