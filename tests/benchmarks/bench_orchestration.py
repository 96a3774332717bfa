"""What orchestration costs: the demo's flow against the same functions called one after another in a plain script.

`python -m tests.benchmarks.bench_orchestration [PROFILE]` runs each in a home and a process of its own and prints their
seconds by the clock and of all processors (children included), and the ratios. The plain script keeps the store, the
lineage and MLflow's runs, and imports Prefect, of which nothing is started.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

PLAIN = "plain"


class Spent(NamedTuple):
    """Seconds by the clock, and of all processors."""

    clock: float
    processors: float


def plainly(profile: str) -> None:
    """`train-recognizer` with every task replaced by its function, and threads where it submits several."""
    from infra.environment import environment
    from infra.settings import load_settings

    os.environ.update(environment(load_settings()))
    from prefect import Task

    pool = ThreadPoolExecutor(6)

    def call(task: Any, *arguments: Any, **named: Any) -> Any:
        return task.fn(*arguments, **named)

    def submit(task: Any, *arguments: Any, **named: Any) -> Future[Any]:
        return pool.submit(task.fn, *arguments, **named)

    Task.__call__ = call  # type: ignore[method-assign]
    Task.submit = submit  # type: ignore[method-assign]
    for module in _without_artifacts():
        for name in [name for name in vars(module) if name.startswith("create_") and name.endswith("_artifact")]:
            setattr(module, name, lambda *_, **__: None)
    from flows.parameters import TrainRequest
    from flows.recognizer import train_recognizer

    train_recognizer.fn(TrainRequest(profile=profile))


def _without_artifacts() -> list[Any]:
    """Our modules that make artifacts of Prefect's, which the script has no server for."""
    import flows.recognizer  # noqa: F401 - so that they are loaded

    return [module for name, module in list(sys.modules.items()) if name.startswith(("tasks.", "flows."))]


def spend(command: list[str], home: Path) -> Spent:
    """Run a command in a home of its own."""
    variables = {**os.environ, "TRINORMAL_HOME": str(home), "OMP_NUM_THREADS": "1"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(time.perf_counter() - start, used)


def main(profile: str) -> None:
    flow = [sys.executable, "-c", "from flows.cli import main; main()", "demo", "--profile", profile]
    script = [sys.executable, "-m", "tests.benchmarks.bench_orchestration", PLAIN, profile]
    with tempfile.TemporaryDirectory() as name:
        homes = {"flow": Path(name, "flow"), "script": Path(name, "script")}
        spent = {"script": spend(script, homes["script"]), "flow": spend(flow, homes["flow"])}
        equal = _results(homes["flow"], profile) == _results(homes["script"], profile)
    for what, seconds in spent.items():
        print(f"{what:7} {seconds.clock:7.1f} s by the clock, {seconds.processors:7.1f} s of processors")
    clock, processors = (part / whole for part, whole in zip(spent["flow"], spent["script"], strict=True))
    print(f"{profile}: ratio {clock:.3f} by the clock, {processors:.3f} of processors; same results: {equal}")


def _results(home: Path, profile: str) -> dict[str, Any]:
    found = json.loads((home / profile / "results.json").read_text())
    return {name: value for name, value in found.items() if name not in ("seconds", "peak_memory_mb")}


if __name__ == "__main__":
    if sys.argv[1:2] == [PLAIN]:
        plainly(sys.argv[2])
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "tiny")
