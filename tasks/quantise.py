"""The recogniser in 8-bit integers: calibrated on what it was trained on, kept only where it recognises as well."""

from pathlib import Path
from typing import Any

import onnx
from prefect import task

from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.export.quantisation import quantise
from models.export.throughput import images_per_second
from models.metrics.benchmark import score
from models.metrics.protocol import Protocol
from tasks import policies
from tasks.files import read_json, write_json
from tasks.normals import NormalShards, load_normals, some_images
from tasks.release import Exported
from tasks.stages import make
from tasks.wiring import open_workspace

GRAPH, FIGURES = "model.int8.onnx", "quantisation.json"
CALIBRATED_ON = 256
TIMED_ON = 16
LARGEST_FALL = 0.001
"""Of fused rank-1 on the benchmark: a tenth of a point."""
SEED = 20250814
CODE = ["models.export.quantisation", "models.export.embedding", "models.metrics.benchmark"]


@task(name="quantise", **policies.STAGE)
def quantise_branches(exported: Exported, normals: NormalShards, scans: NormalShards, protocol: Protocol) -> Exported:
    """`exported` with its 8-bit twin beside it, where fused rank-1 falls by `LARGEST_FALL` at most; else with why not.

    Calibrated on images of `normals`, the training set; both graphs are measured on `scans`.
    """
    workspace = open_workspace()
    source = exported.artefact.path / "model.onnx"

    def build(folder: Path, _: Path) -> None:
        made = quantise(onnx.load(source), some_images(normals, CALIBRATED_ON)).SerializeToString(deterministic=True)
        (folder / GRAPH).write_bytes(made)
        images = load_normals(scans)
        graphs = {"fp32": source.read_bytes(), "int8": made}
        rank1 = {
            name: score(embed_normals(load_session(graph), images), scans.sources, protocol, SEED).fused
            for name, graph in graphs.items()
        }
        write_json(folder / FIGURES, verdict(rank1, {name: len(graph) for name, graph in graphs.items()}))

    config = {"protocol": protocol.hash(), "images": CALIBRATED_ON, "fall": LARGEST_FALL}
    made = make(workspace, "int8", [exported.artefact, *normals.shards, *scans.shards], config, CODE, build)
    found = read_json(made.path / FIGURES)
    names = (GRAPH, FIGURES) if found["accepted"] else (FIGURES,)
    graphs = {"fp32": source.read_bytes(), "int8": (made.path / GRAPH).read_bytes()}
    speed = images_per_second(graphs, some_images(scans, TIMED_ON))
    beside = {**exported.beside, **{name: made.path / name for name in names}}
    return exported._replace(beside=beside, figures={**exported.figures, **_figures(found, speed)})


def verdict(rank1: dict[str, float], size_bytes: dict[str, int]) -> dict[str, Any]:
    """Whether the 8-bit graph may be used, and why not; a rank-1 that is not a number speaks against it."""
    fall = rank1["fp32"] - rank1["int8"]
    accepted = fall <= LARGEST_FALL
    reason = "" if accepted else f"fused rank-1 falls by {100 * fall:.2f} points, more than {100 * LARGEST_FALL:g}"
    return {"accepted": accepted, "reason": reason, "rank1": rank1, "size_bytes": size_bytes}


def _figures(found: dict[str, Any], speed: dict[str, float]) -> dict[str, float]:
    """For the run in MLflow."""
    return {
        "int8.accepted": float(found["accepted"]),
        "int8.rank1": found["rank1"]["int8"],
        "int8.rank1_fp32": found["rank1"]["fp32"],
        "int8.size_ratio": found["size_bytes"]["int8"] / found["size_bytes"]["fp32"],
        "int8.images_per_second": speed["int8"],
        "int8.images_per_second_fp32": speed["fp32"],
        "int8.speed_ratio": speed["int8"] / speed["fp32"],
    }
