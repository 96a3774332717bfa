"""Embeddings of a test set by every variant of the three networks."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from prefect import task

from infra.store import Artefact
from models.metrics.benchmark import unit_rows
from models.networks.sphere20 import Sphere20, adapt_to_normals
from models.training.device import pick_device
from models.training.inference import embed
from models.types import AXES
from tasks import policies
from tasks.files import save_array
from tasks.normals import NormalShards, load_normals
from tasks.recogniser import Network, load_sphere20
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.benchmark", "models.training.inference", "models.networks.sphere20"]
BASELINE = "baseline"
Three = tuple[Network, Network, Network]


class Embeddings(NamedTuple):
    """`<variant>.npy` (3, n, d) of each variant, unit rows in the order of `sources`."""

    artefact: Artefact
    sources: list[str]
    variants: list[str]

    def networks(self) -> dict[str, str]:
        """The axes of each variant, by their letters."""
        return dict.fromkeys(self.variants, "".join(AXES))

    def features(self, variant: str) -> Float32[ndarray, "3 n d"]:
        """The embeddings of one variant."""
        return np.load(self.artefact.path / f"{variant}.npy", allow_pickle=False)


@task(name="embed scans", **policies.STAGE)
def embed_scans(normals: NormalShards, baseline: Network, adapted: Mapping[str, Three]) -> Embeddings:
    """Embeddings of every image by the un-adapted baseline and by each adapted triple."""
    return embeddings_of(normals, baseline, adapted)


def embeddings_of(normals: NormalShards, baseline: Network, adapted: Mapping[str, Three]) -> Embeddings:
    """What `embed_scans` makes, or made before."""
    workspace = open_workspace()
    variants: dict[str, Three] = {BASELINE: (baseline, baseline, baseline), **adapted}
    inputs = [*normals.shards, *(network.artefact for three in variants.values() for network in three)]

    def build(folder: Path, _: Path) -> None:
        images = load_normals(normals)
        for name, three in variants.items():
            features = [_features(network, images, axis) for axis, network in enumerate(three)]
            save_array(folder / f"{name}.npy", np.stack(features))

    made = make(workspace, "embeddings", inputs, {"variants": list(variants)}, CODE, build)
    return Embeddings(made, normals.sources, list(variants))


def _features(stored: Network, images: np.ndarray, axis: int) -> Float32[ndarray, "n d"]:
    """Unit embeddings of one normal component; a photo network answers as it is, its first layer summed."""
    network = _for_normals(load_sphere20(stored))
    device = pick_device(open_workspace().settings.device)
    return unit_rows(embed(network, images, batch_size=128, device=device, axis=axis))


def _for_normals(network: Sphere20) -> Sphere20:
    return adapt_to_normals(network) if network.shape.channels_in == 3 else network
