"""Benchmarks made ready for any number of models: simulated, checked, cleaned and encoded once."""

from collections.abc import Mapping, Sequence

from infra.profiles import Profile
from models.errors import ConfigurationError
from registry.manifest import Snapshot
from tasks.ablation import Bench
from tasks.benchmark import BENCHMARKS, MERGED, TITLES, Benchmark, merged_benchmark, simulated_benchmark
from tasks.jobs import Job
from tasks.leakage import require_apart
from tasks.normals import NormalShards, encode_scans
from tasks.validate import require_valid_normals, require_valid_scans

MERGED_NAME = "merged"
ALL = (*BENCHMARKS, MERGED_NAME)
DATA = "simulated {} (face world)"


def require_benchmarks(asked: Sequence[str]) -> list[str]:
    """What was asked for, if there are such benchmarks. Raises `ConfigurationError`."""
    unknown = [name for name in asked if name not in ALL]
    if unknown or not asked or len(set(asked)) < len(asked):
        raise ConfigurationError(f"benchmarks {','.join(asked)!r}: choose of {', '.join(ALL)}, each once")
    return list(asked)


def prepare_benches(asked: Sequence[str], profile: Profile, training: Snapshot, runs: Mapping[str, Job]) -> list[Bench]:
    """Each benchmark in the order asked; `merged` shares the scans of those it is made of. `runs` are by name."""
    parts = [name for name in BENCHMARKS if name in asked or (MERGED_NAME in asked and name in MERGED)]
    known = {name: _prepared(name, profile, training, runs.get(name) or runs[MERGED_NAME]) for name in parts}
    benches = {
        name: Bench(name, DATA.format(TITLES[name]), benchmark.protocol, scans, benchmark.root)
        for name, (benchmark, scans) in known.items()
    }
    if MERGED_NAME in asked:
        title = " + ".join(TITLES[name] for name in MERGED)
        merged = merged_benchmark({name: known[name] for name in MERGED})
        benches[MERGED_NAME] = Bench(MERGED_NAME, DATA.format(title), *merged)
    return [benches[name] for name in asked]


def _prepared(name: str, profile: Profile, training: Snapshot, job: Job) -> tuple[Benchmark, NormalShards]:
    benchmark = simulated_benchmark(name, profile)
    require_apart(training, benchmark.snapshot)
    require_valid_scans(benchmark.root, benchmark.records, benchmark.protocol, job)
    scans = encode_scans(benchmark.root, benchmark.records, profile.normals)
    require_valid_normals(scans, "scan-normals", job)
    return benchmark, scans
