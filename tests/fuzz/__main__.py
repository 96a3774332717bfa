"""`python -m tests.fuzz [TRIALS]`: the whole campaign, each format in a process of its own, as two tables.

Prints the seed, and for each format: trials, how many were refused, violations, slowest and mean time, and memory
above that of the process before its first mutated file; then what each hostile file costs. Exits with 1 on any
violation.
"""

import multiprocessing
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fuzz.formats import FORMATS
from tests.fuzz.hostile import hostile_files
from tests.fuzz.trials import SEED, cost_of, run_trials, silence

TRIALS = 2_000


def in_a_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """A fresh process, so that its memory is this work's alone; one that dies ends the campaign."""
    with multiprocessing.get_context("spawn").Pool(1, silence) as pool:
        return pool.apply_async(work, arguments).get(timeout=600)


def upper_bound(violations: int, trials: int) -> float:
    """95 % upper bound of the rate; the rule of three when nothing was seen."""
    return 3 / trials if violations == 0 else (violations + 2 * violations**0.5 + 3) / trials


def campaign(trials: int, folder: Path) -> int:
    """Every format; returns how many violations were found."""
    head = ("refused", "violations", "< (95 %)", "slowest", "mean", "memory")
    print(f"{'format':28s} {'{:>8s} {:>10s} {:>9s} {:>9s} {:>8s} {:>8s}'.format(*head)}")
    found = 0
    for number, name in enumerate(FORMATS):
        place = folder / str(number)
        place.mkdir()
        outcome = in_a_process(run_trials, name, trials, place)
        found += len(outcome.violations)
        print(
            f"{name:28s} {outcome.refused:8d} {len(outcome.violations):10d} "
            f"{upper_bound(len(outcome.violations), trials):9.4f} {outcome.slowest_ms:6.1f} ms "
            f"{outcome.mean_ms:5.2f} ms {outcome.memory_mb:5.0f} MB",
            flush=True,
        )
        for violation in outcome.violations[:5]:
            print(f"    {violation[:300]}")
    return found


def main(trials: int) -> int:
    """Run all formats and hostile files; the exit code tells whether nothing was found."""
    print(f"seed {SEED}, {trials} mutated files a format")
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(trials, Path(folder))
        print(f"{len(FORMATS) * trials} mutated files, {found} violations\n")
        print(f"{'hostile file':38s} {'on disk':>9s} {'time':>9s} {'memory':>8s}")
        for name, path in hostile_files(Path(folder)):
            cost = in_a_process(cost_of, path)
            size = path.stat().st_size / 1024
            print(
                f"{name:38s} {size:6.0f} KB {cost.ms:6.0f} ms {cost.memory_mb:5.0f} MB  {cost.refused[:90]}", flush=True
            )
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS))
