"""Benchmarks made ready for any number of models: simulated, checked, cleaned and encoded once."""

from collections.abc import Mapping, Sequence

from flows.known import TOGETHER
from infra.profiles import Profile
from registry.manifest import Snapshot
from tasks.ablation import Bench
from tasks.benchmark import BENCHMARKS, MERGED, TITLES, Benchmark, merged_benchmark, simulated_benchmark
from tasks.jobs import Job
from tasks.leakage import require_apart
from tasks.normals import NormalShards, encode_scans
from tasks.validate import require_valid_normals, require_valid_scans

DATA = "simulated {} (face world)"


def prepare_benches(asked: Sequence[str], profile: Profile, training: Snapshot, runs: Mapping[str, Job]) -> list[Bench]:
    """Each benchmark in the order asked; `merged` shares the scans of those it is made of. `runs` are by name."""
    parts = [name for name in BENCHMARKS if name in asked or (TOGETHER in asked and name in MERGED)]
    known = {name: _prepared(name, profile, training, runs.get(name) or runs[TOGETHER]) for name in parts}
    benches = {
        name: Bench(name, DATA.format(TITLES[name]), benchmark.protocol, scans, benchmark.root)
        for name, (benchmark, scans) in known.items()
    }
    if TOGETHER in asked:
        title = " + ".join(TITLES[name] for name in MERGED)
        merged = merged_benchmark({name: known[name] for name in MERGED})
        benches[TOGETHER] = Bench(TOGETHER, DATA.format(title), *merged)
    return [benches[name] for name in asked]


def _prepared(name: str, profile: Profile, training: Snapshot, job: Job) -> tuple[Benchmark, NormalShards]:
    benchmark = simulated_benchmark(name, profile)
    require_apart(training, benchmark.snapshot)
    require_valid_scans(benchmark.root, benchmark.records, benchmark.protocol, job)
    scans = encode_scans(benchmark.root, benchmark.records, profile.normals)
    require_valid_normals(scans, "scan-normals", job)
    return benchmark, scans
