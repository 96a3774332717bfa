"""A benchmark whose probes are turned away or hidden more and more, while those who are enrolled stay as they are."""

from collections import defaultdict
from dataclasses import replace

from prefect import task

from infra.files import sha256_file
from infra.profiles import NormalsConfig
from models.errors import ConfigurationError
from models.geometry.stress import Stress
from models.metrics.protocol import Member
from models.types import Failure
from tasks import policies
from tasks.ablation import Bench
from tasks.build_stressed import build_stressed
from tasks.files import read_table
from tasks.normals import NormalShards
from tasks.picked import pick, together
from tasks.stages import make_all
from tasks.wiring import open_workspace

PROBES_PER_SHARD = 125
CODE = ["tasks.build_stressed"]


def thinned(bench: Bench, probes_each: int) -> Bench:
    """The benchmark with so many probes a person, spread over those there are: stress is costly."""
    of: dict[str, list[Member]] = defaultdict(list)
    for member in bench.protocol.probes:
        of[member.subject].append(member)
    chosen = [
        members[step * len(members) // count]
        for members in of.values()
        for count in [min(probes_each, len(members))]
        for step in range(count)
    ]
    return bench._replace(protocol=replace(bench.protocol, probes=tuple(chosen), exclusions=()))


@task(name="stress", **policies.STAGE)
def stress_bench(bench: Bench, stress: Stress, config: NormalsConfig, seed: int) -> Bench:
    """The same people and protocol, probes under stress; probes that give no image count as misses."""
    gallery = pick(bench.scans, bench.protocol.gallery_ids)
    if stress == Stress():
        return bench._replace(scans=together(gallery, pick(bench.scans, bench.protocol.probe_ids)))
    return bench._replace(scans=together(gallery, _stressed_probes(bench, stress, config, seed)))


def _stressed_probes(bench: Bench, stress: Stress, config: NormalsConfig, seed: int) -> NormalShards:
    if bench.root is None:
        raise ConfigurationError(
            f"benchmark {bench.name}: no scans of its own to stress; choose one that is not merged"
        )
    root, ids = bench.root, bench.protocol.probe_ids
    common = {
        "grid": [config.pixels, config.pixels, config.mm_per_pixel],
        "crop_radius_mm": config.crop_radius_mm,
        "cleaning": config.cleaning.model_dump(),
        "stress": stress._asdict(),
        "seed": seed,
    }
    parts = [list(ids[start : start + PROBES_PER_SHARD]) for start in range(0, len(ids), PROBES_PER_SHARD)]
    units = [([sha256_file(root / path) for path in paths], common) for paths in parts]
    arguments = [{"root": root, "paths": paths} for paths in parts]
    title = f"stress, clean and encode scans ({stress.yaw_deg:g} degrees, {100 * stress.hidden:g} % hidden)"
    shards = make_all(open_workspace(), "stressed-normals", units, CODE, build_stressed, title, arguments)
    sources = [row[0] for shard in shards for row in read_table(shard.path / "rows.csv")]
    failures = [Failure(*row) for shard in shards for row in read_table(shard.path / "failures.csv")]
    return NormalShards(shards, sources, [], failures)
