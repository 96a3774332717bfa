"""A registered version on a benchmark: all that training's own evaluation says, of the graph that would serve."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from prefect import task

from infra.files import canonical_json, sha256_bytes
from infra.store import Artefact
from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.metrics.benchmark import Scores, usable
from models.metrics.details import Details, compare_outcomes
from models.metrics.protocol import Protocol
from tasks import policies
from tasks.champion import Champion
from tasks.embed import Embeddings
from tasks.evaluate import CODE, read_details, read_outcomes, write_evaluation
from tasks.files import read_json, save_array, write_json
from tasks.normals import NormalShards, load_normals
from tasks.score_files import ScoreHead
from tasks.stages import make
from tasks.wiring import open_workspace

VARIANT = "released"
"""What the files of an assessment begin with: a version is one network, not several variants."""


class Assessment(NamedTuple):
    """Rank-1 and the rest of one version on one benchmark; the artefact holds scores, outcomes and details."""

    version: str
    scores: Scores
    lost_probes: int
    details: Details
    artefact: Artefact

    def figures(self) -> dict[str, float]:
        """Every single number under the name it is tracked by, the same for all versions and benchmarks."""
        bounds = {"fused_low": self.scores.fused_low, "fused_high": self.scores.fused_high}
        lost = {"lost_probes": float(self.lost_probes)}
        return {**self.scores.rank1(), **bounds, **lost, **self.details.figures()}


@task(name="embed scans by a version", **policies.STAGE)
def embed_by_version(version: Champion, normals: NormalShards) -> Embeddings:
    """Three unit vectors of every scan, by the graph as it is registered."""

    def build(folder: Path, _: Path) -> None:
        features = embed_normals(load_session(version.graph), load_normals(normals))
        save_array(folder / f"{VARIANT}.npy", np.stack(features))

    inputs = [version.sha256, *normals.shards]
    made = make(open_workspace(), "version-embeddings", inputs, {}, ["models.export.embedding"], build)
    return Embeddings(made, normals.sources, [VARIANT])


@task(name="assess a version", **policies.STAGE)
def assess(
    version: Champion,
    embedded: Sequence[Embeddings],
    sources: Sequence[str],
    protocol: Protocol,
    labels: Mapping[str, Sequence[str]],
    seed: int,
) -> Assessment:
    """Search every probe; `embedded` are parts, one after the other in the order of `sources`.

    Writes what `tasks.evaluate.evaluate` writes of a variant. Lost probes are misses.
    """
    told = sha256_bytes(canonical_json([list(sources), dict(labels)]).encode())
    config = {"protocol": protocol.hash(), "benchmark": protocol.name, "seed": seed, "told": told}

    def build(folder: Path, _: Path) -> None:
        features = np.concatenate([part.features(VARIANT) for part in embedded], axis=1)
        head = ScoreHead(protocol.name, protocol.hash(), VARIANT, version.sha256)
        write_evaluation(folder, features, sources, protocol, head, labels, seed)

    inputs = [version.sha256, *(part.artefact for part in embedded)]
    made = make(open_workspace(), "assessment", inputs, config, CODE, build)
    scores = Scores(**read_json(made.path / f"{VARIANT}.json"))
    lost = len(usable(sources, protocol).lost)
    return Assessment(version.version, scores, lost, read_details(made, VARIANT), made)


@task(name="compare versions", **policies.STAGE)
def compare_versions(first: Artefact, second: Artefact, seed: int) -> dict[str, Any]:
    """`Paired` of two assessments under one protocol, as data: rank-1 of the first less that of the second."""

    def build(folder: Path, _: Path) -> None:
        pair = compare_outcomes(read_outcomes(first, VARIANT), read_outcomes(second, VARIANT), seed)
        write_json(folder / "paired.json", {**pair._asdict(), "difference": pair.difference._asdict()})

    code = ["models.metrics.details"]
    made = make(open_workspace(), "version-comparison", [first, second], {"seed": seed}, code, build)
    return read_json(made.path / "paired.json")
