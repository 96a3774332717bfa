"""Closed-set identification on one benchmark: every variant under one protocol."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from prefect import task

from infra.store import Artefact
from models.metrics.benchmark import Scores, score, usable
from models.metrics.protocol import Protocol
from tasks import policies
from tasks.embed import Three, embeddings_of
from tasks.files import read_json, write_json
from tasks.normals import NormalShards
from tasks.recogniser import Network
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.benchmark"]


class BenchmarkResult(NamedTuple):
    """What a benchmark says of every variant."""

    benchmark: str
    protocol_hash: str
    gallery: int
    probes: int
    failures: int
    lost_probes: int
    scores: dict[str, Scores]
    artefact: Artefact


@task(name="evaluate", **policies.STAGE)
def evaluate(
    normals: NormalShards, protocol: Protocol, baseline: Network, adapted: Mapping[str, Three], seed: int
) -> BenchmarkResult:
    """Rank-1 of the un-adapted baseline and of each adapted triple; failures to acquire count as misses."""
    embedded = embeddings_of(normals, baseline, adapted)
    config = {"protocol": protocol.hash(), "variants": embedded.variants, "seed": seed}

    def build(folder: Path, _: Path) -> None:
        for name in embedded.variants:
            x, y, z = embedded.features(name)
            scores = score((x, y, z), normals.sources, protocol, seed)
            write_json(folder / f"{name}.json", scores._asdict())

    inputs = [*normals.shards, embedded.artefact]
    made = make(open_workspace(), "evaluation", inputs, config, CODE, build)
    scores = {name: Scores(**read_json(made.path / f"{name}.json")) for name in embedded.variants}
    lost = len(usable(normals.sources, protocol).lost_subjects)
    return BenchmarkResult(
        protocol.name,
        protocol.hash(),
        len(protocol.gallery),
        len(protocol.probes),
        len(normals.failures),
        lost,
        scores,
        made,
    )
