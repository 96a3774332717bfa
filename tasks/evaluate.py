"""Closed-set identification on one benchmark: every variant under one protocol."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from prefect import task

from infra.store import Artefact
from models.metrics.benchmark import Scores, score, unit_rows, usable
from models.metrics.protocol import Protocol
from models.networks.sphere20 import Sphere20, adapt_to_normals
from models.training.device import pick_device
from models.training.inference import embed
from tasks import policies
from tasks.files import read_json, save_array, write_json
from tasks.normals import NormalShards, load_normals
from tasks.recogniser import Network, load_sphere20
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.benchmark", "models.training.inference", "models.networks.sphere20"]
Three = tuple[Network, Network, Network]


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
    workspace = open_workspace()
    variants: dict[str, Three] = {"baseline": (baseline, baseline, baseline), **adapted}
    inputs = [*normals.shards, *(network.artefact for three in variants.values() for network in three)]
    config = {"protocol": protocol.hash(), "variants": list(variants), "seed": seed}

    def build(folder: Path, _: Path) -> None:
        images = load_normals(normals)
        for name, three in variants.items():
            features = tuple(_features(network, images, axis) for axis, network in enumerate(three))
            save_array(folder / f"{name}.npy", np.stack(features))
            scores = score((features[0], features[1], features[2]), normals.sources, protocol, seed)
            write_json(folder / f"{name}.json", scores._asdict())

    made = make(workspace, "evaluation", inputs, config, CODE, build)
    scores = {name: Scores(**read_json(made.path / f"{name}.json")) for name in variants}
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


def _features(stored: Network, images: np.ndarray, axis: int) -> np.ndarray:
    """Unit embeddings of one normal component; a photo network answers as it is, its first layer summed."""
    network = _for_normals(load_sphere20(stored))
    device = pick_device(open_workspace().settings.device)
    return unit_rows(embed(network, images, batch_size=128, device=device, axis=axis))


def _for_normals(network: Sphere20) -> Sphere20:
    return adapt_to_normals(network) if network.shape.channels_in == 3 else network
