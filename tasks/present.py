"""Every benchmark that is there: the simulated ones of a profile, and real ones that the catalogue lists."""

from pathlib import Path
from typing import NamedTuple

from infra.profiles import Profile
from models.errors import TrinormalError
from models.readers.datasets import UNKNOWN_LICENCE
from registry.catalogue import list_snapshots
from registry.manifest import Snapshot
from tasks.benchmark import BENCHMARKS, TITLES, Benchmark, catalogued_benchmark, simulated_benchmark
from tasks.wiring import open_workspace

REAL = "real-"
"""What the names of real benchmarks begin with."""
FACE_WORLD = "simulated {} (face world)"


class Present(NamedTuple):
    """Benchmarks by name, what data each is, and why a real one that is listed cannot be used."""

    benchmarks: dict[str, Benchmark]
    data: dict[str, str]
    refused: dict[str, str]


def present_benchmarks(profile: Profile) -> Present:
    """The four simulated benchmarks; of each real data set the newest snapshot, if its licence is known."""
    found = Present({}, {}, {})
    for name in BENCHMARKS:
        found.benchmarks[name] = simulated_benchmark(name, profile)
        found.data[name] = FACE_WORLD.format(TITLES[name])
    for snapshot in _real():
        name = REAL + snapshot.data_set
        found.data[name] = f"{TITLES[snapshot.data_set]}, snapshot {snapshot.id[:12]}, {snapshot.licence}"
        reason = _unusable(snapshot)
        try:
            if not reason:
                found.benchmarks[name] = catalogued_benchmark(snapshot)
        except TrinormalError as error:
            reason = str(error)
        if reason:
            found.refused[name] = reason
    return found


def _real() -> list[Snapshot]:
    """The newest snapshot of each real data set that has a protocol."""
    newest = {each.data_set: each for each in list_snapshots(open_workspace().engine) if each.data_set in BENCHMARKS}
    return [newest[name] for name in BENCHMARKS if name in newest]


def _unusable(snapshot: Snapshot) -> str:
    if snapshot.licence == UNKNOWN_LICENCE:
        return "its licence is not known: `trinormal data add` it again with --licence"
    if not Path(snapshot.source).is_dir():
        return f"{snapshot.source} is not there any more: mount it, or add it again from where it is"
    return ""
