"""A champion on anybody's scans: closed-set identification, as data that a program can read."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from infra.files import canonical_json, sha256_bytes
from infra.store import Artefact
from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.metrics.benchmark import Scores, score, usable
from models.protocols.folder import first_scan_protocol, labelled_protocol
from models.readers.datasets import UNKNOWN_LICENCE
from models.readers.folder import index_scans
from tasks import policies
from tasks.benchmark import Benchmark, real_benchmark
from tasks.champion import Champion
from tasks.files import read_json, save_array, write_json
from tasks.normals import NormalShards, load_normals
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tasks.stages import make
from tasks.wiring import open_workspace

EXPERIMENT = "evaluation"
SEED = 20250814
LEVEL = 0.95
GalleryRule = Literal["first", "labels"]
_RULES = {"first": first_scan_protocol, "labels": labelled_protocol}


class Identified(NamedTuple):
    """Rank-1 and the rest, the probes that could not be searched, and where the embeddings are."""

    scores: Scores
    lost_probes: int
    artefact: Artefact


def scans_to_search(root: Path, data_set: str | None, rule: GalleryRule) -> Benchmark:
    """The scans below `root` with their protocol: that of a data set, or by a rule for anybody's folder.

    Raises `DataError` where there are none, a name breaks the format, or nothing is enrolled or searched.
    """
    if data_set is not None:
        return real_benchmark(data_set, root)
    found = list(index_scans(root))
    protocol = _RULES[rule](found)
    used = {*protocol.gallery_ids, *protocol.probe_ids}
    snapshot = take_snapshot(Source("scans", root, "scan"), root.name, UNKNOWN_LICENCE, parse=False)
    searched = [record for record in found if record.path in used]
    return Benchmark(protocol.name, root, searched, protocol, snapshot, [])


@task(name="identify scans", **policies.STAGE)
def identify(champion: Champion, scans: NormalShards, benchmark: Benchmark) -> Identified:
    """Search every probe among the gallery; scans that could not be encoded count as misses."""
    workspace = open_workspace()
    protocol = benchmark.protocol

    def build(folder: Path, _: Path) -> None:
        features = embed_normals(load_session(champion.graph), load_normals(scans))
        save_array(folder / "embeddings.npy", np.stack(features))
        write_json(folder / "scores.json", score(features, scans.sources, protocol, SEED)._asdict())

    config = {"protocol": protocol.hash(), "seed": SEED}
    code = ["models.metrics.benchmark", "models.export.embedding"]
    made = make(workspace, "identification", [champion.sha256, *scans.shards], config, code, build)
    lost = len(usable(scans.sources, protocol).lost_subjects)
    return Identified(Scores(**read_json(made.path / "scores.json")), lost, made)


@task(name="report evaluation", **policies.REGISTER)
def report_evaluation(
    champion: Champion, benchmark: Benchmark, scans: NormalShards, found: Identified
) -> dict[str, Any]:
    """The figures as data, which a run in MLflow and an artifact in Prefect keep too."""
    results = as_results(champion, benchmark, scans, found)
    tracker = open_workspace().tracker
    key = sha256_bytes(canonical_json([champion.sha256, found.artefact.key]).encode())
    job = str(flow_run.get_id() or key)
    name = f"{champion.name} {champion.version} on {benchmark.root.name}"
    with tracker.run(EXPERIMENT, name, key, job=job, tags={"model": champion.name, "version": champion.version}) as run:
        rule = {"data": results["data"]["name"], "protocol": results["protocol"]["hash"]}
        run.log_params({**rule, "model_sha256": champion.sha256, "scans": str(benchmark.root)})
        run.log_metrics({**results["axes"], "rank1": results["rank1"], "failures": len(scans.failures)})
        run.log_metrics({"rank1_low": results["interval"]["low"], "rank1_high": results["interval"]["high"]})
        run.log_dict(results, "evaluation.json")
    create_markdown_artifact(_as_markdown(results), key="evaluation", description=name)
    return results


def as_results(champion: Champion, benchmark: Benchmark, scans: NormalShards, found: Identified) -> dict[str, Any]:
    """What the command prints: shares from 0 to 1; lost probes are those whose scan, or whose gallery scan, failed."""
    protocol, scores = benchmark.protocol, found.scores
    return {
        "model": {"name": champion.name, "version": champion.version, "sha256": champion.sha256},
        "data": {"name": protocol.name, "root": str(benchmark.root), "scans": len(benchmark.records)},
        "protocol": {
            "hash": protocol.hash(),
            "gallery": len(protocol.gallery),
            "probes": len(protocol.probes),
            "subjects": len({member.subject for member in protocol.gallery}),
            "excluded": dict(Counter(left.reason for left in protocol.exclusions)),
        },
        "rank1": scores.fused,
        "interval": {"low": scores.fused_low, "high": scores.fused_high, "level": LEVEL, "over": "subjects"},
        "axes": {"x": scores.x, "y": scores.y, "z": scores.z},
        "cmc": {str(rank): share for rank, share in enumerate(scores.cmc, start=1)},
        "failures_to_acquire": [failure._asdict() for failure in scans.failures],
        "lost_probes": found.lost_probes,
    }


def _as_markdown(results: dict[str, Any]) -> str:
    counts, interval = results["protocol"], results["interval"]
    return "\n".join(
        [
            f"rank-1 {results['rank1']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})",
            f"{counts['gallery']} enrolled, {counts['probes']} searched, {results['lost_probes']} lost",
        ]
    )
