"""Many mutated files of one format: how many were refused, and what it cost."""

import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.errors import DataError
from models.readers.folder import index_manifest
from models.readers.scans import read_scan
from tests.fuzz.formats import FORMATS, Format
from tests.fuzz.mutations import mutated

SEED = 20_251_122


class Outcome(NamedTuple):
    """`violations` are files that raised an untyped error or were wrongly accepted: the trial's number and what it did.

    Times are of this process alone; `memory_mb` is its peak above what it held before the first mutated file.
    """

    trials: int
    refused: int
    violations: list[str]
    slowest_ms: float
    mean_ms: float
    memory_mb: float


def run_trials(name: str, trials: int, folder: Path, seed: int = SEED) -> Outcome:
    """Mutate the format's fixture `trials` times and read it; the fixture itself must be read whole."""
    chosen = FORMATS[name]
    path = folder / chosen.name
    chosen.prepare(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chosen.original)
    chosen.check(chosen.read(path))
    rng = np.random.default_rng([seed, sorted(FORMATS).index(name)])
    base, refused, violations, seconds = forget_peak(), 0, list[str](), list[float]()
    for trial in range(trials):
        path.write_bytes(_damaged(chosen, rng))
        start = time.process_time()
        try:
            chosen.check(chosen.read(path))
        except DataError as error:
            refused += 1
            if "\n" in str(error) or (path.name not in str(error) and chosen.name != "files.txt"):
                violations.append(f"trial {trial}: the error does not name the file in one line: {error!r}")
        except Exception as error:  # this is what is being looked for
            violations.append(f"trial {trial}: {type(error).__name__}: {error}")
        seconds.append(time.process_time() - start)
    return Outcome(trials, refused, violations, 1e3 * max(seconds), 1e3 * sum(seconds) / trials, peak_mb() - base)


class Cost(NamedTuple):
    """What one file took, and in which way it was refused (empty when it was read)."""

    ms: float
    memory_mb: float
    refused: str


def cost_of(path: Path) -> Cost:
    """Time and further memory of reading one scan or manifest in a process that has read nothing yet."""
    base, refused, start = forget_peak(), "", time.process_time()
    try:
        list(index_manifest(path)) if path.suffix == ".csv" else read_scan(path)
    except DataError as error:
        refused = str(error).removeprefix(f"{path}: ")
    return Cost(1e3 * (time.process_time() - start), peak_mb() - base, refused)


def silence() -> None:
    """The JPEG decoder tells of damage on the terminal; a campaign has thousands."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _damaged(chosen: Format, rng: np.random.Generator) -> bytes:
    if chosen.inner is not None and rng.random() < 0.5:
        return chosen.pack(mutated(chosen.inner, rng))
    return mutated(chosen.original, rng)


def forget_peak() -> float:
    """Begin a new peak (Linux); returns the resident memory now, MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """The largest resident memory since `forget_peak`, MB."""
    return _status_mb("VmHWM")


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024
