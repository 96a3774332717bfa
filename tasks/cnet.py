"""Training of C-Net on several photos of each person, and its error beside that of the plain mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from prefect import task

from infra.profiles import PhotoWorldConfig
from infra.profiles.rnet import CNetConfig
from infra.store import Artefact
from models.networks.cnet import CNet
from models.reconstructors.cnet import PooledRNet
from models.reconstructors.pooling_error import PoolingError, pooling_error
from models.reconstructors.rnet import RNet
from models.reconstructors.rnet_stored import load_rnet, save_cnet
from models.training.device import pick_device
from models.training.rows import OnEpoch
from models.training.weak_reconstruction import fit_cnet
from tasks import policies
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run, complete_curve, curve_of, live_curve
from tasks.progress import announce
from tasks.rnet import TrainedRNet, counts, landmarked, supervision, used_embedder
from tasks.rnet_supervision import landmark_shards, stacked
from tasks.stages import make
from tasks.synthesise import Collection
from tasks.wiring import Workspace, open_workspace

CODE = [
    "models.training.weak_reconstruction",
    "models.networks.face_embedding",
    "models.reconstructors.rnet_stored",
    "models.reconstructors.pooling_error",
    "tasks.rnet_supervision",
]
COMPARED_VIEWS = (2, 3, 5)
PHOTOS_AT_ONCE = 64


class TrainedCNet(NamedTuple):
    """Where the confidences' weights are, and the errors on people that neither network has seen."""

    artefact: Artefact
    comparison: list[PoolingError]
    data: list[Artefact]


def view_world(world: PhotoWorldConfig, config: CNetConfig, people: int) -> PhotoWorldConfig:
    """`people` photographed as in `world`, but many times each; draw them with a seed other than R-Net's."""
    photos = config.photos_per_person
    block = max(1, world.people_per_shard * world.photos_per_person // photos)
    return world.model_copy(update={"people": people, "photos_per_person": photos, "people_per_shard": block})


@task(name="train C-Net", **policies.STAGE)
def train_cnet(
    rnet: TrainedRNet, views: Collection, held_out: Collection, config: CNetConfig, seed: int, job: Job
) -> TrainedCNet:
    """Confidences in R-Net's identities, through the losses that R-Net was trained with (paper B, 3.2).

    `views` and `held_out` show people, each on several photos, whom R-Net has not seen; the latter give the errors.
    """
    return trained_cnet(open_workspace(), rnet, views, held_out, config, seed, job)


def trained_cnet(
    workspace: Workspace,
    rnet: TrainedRNet,
    views: Collection,
    held_out: Collection,
    config: CNetConfig,
    seed: int,
    job: Job,
) -> TrainedCNet:
    """What `train_cnet` does, in a given workspace."""
    seen, unseen = (landmarked(workspace, given, rnet.config.pixels) for given in (views, held_out))
    settings = _settings(rnet, config, seed)
    run = child_run(workspace, job, "C-Net", tags={"network": "cnet"})
    run.log_params(settings | counts(seen))

    def build(folder: Path, scratch: Path) -> None:
        device = pick_device(workspace.settings.device)
        pooled = _new(load_rnet(rnet.artefact.path), config, seed)
        on_epoch = live_curve(run, "C-Net", config.epochs, announce)
        history = _fit(pooled, rnet, seen, config, seed, scratch, on_epoch, device)
        save_cnet(folder, pooled.confidence, pooled.rnet.network)
        write_json(folder / "history.json", history)
        write_json(folder / "comparison.json", [row._asdict() for row in _compare(pooled, unseen, seed, device)])

    inputs = [rnet.artefact, *seen, *unseen, *used_embedder(rnet.config, rnet.embedder)]
    made = make(workspace, "cnet", inputs, settings, CODE, build)
    comparison = [PoolingError(**row) for row in read_json(made.path / "comparison.json")]
    complete_curve(run, read_json(made.path / "history.json"))
    for row in comparison:
        run.log_metrics({f"heldout.views{row.views}.{name}": float(value) for name, value in row._asdict().items()})
    run.finish()
    return TrainedCNet(made, comparison, [*seen, *unseen])


def _settings(rnet: TrainedRNet, config: CNetConfig, seed: int) -> dict[str, Any]:
    """What the result depends on beside photos and R-Net: its own numbers and the losses."""
    losses = rnet.config.weights.model_dump() | {"fine_mesh": rnet.config.fine_mesh}
    return config.model_dump(exclude={"people", "held_out_people", "photos_per_person"}) | losses | {"seed": seed}


def _new(rnet: RNet, config: CNetConfig, seed: int) -> PooledRNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PooledRNet(rnet, CNet(rnet.network.feature_count, rnet.layout.identity, config.hidden))


def _fit(
    pooled: PooledRNet,
    rnet: TrainedRNet,
    shards: Sequence[Artefact],
    config: CNetConfig,
    seed: int,
    scratch: Path,
    on_epoch: OnEpoch,
    device: torch.device,
) -> list[dict[str, Any]]:
    result = fit_cnet(
        pooled.confidence,
        pooled.rnet.network,
        supervision(rnet.config, rnet.embedder),
        landmark_shards(shards, labelled=rnet.config.weights.labels > 0),
        stacked(shards, "subject"),
        views=config.views,
        epochs=config.epochs,
        sets=config.sets,
        learning_rate=config.learning_rate,
        weight_decay=1e-4,
        seed=seed,
        checkpoint_dir=scratch,
        on_epoch=on_epoch,
        device=device,
    )
    return curve_of(result.history)


def _compare(pooled: PooledRNet, unseen: Sequence[Artefact], seed: int, device: torch.device) -> list[PoolingError]:
    crops = [np.load(shard.path / "crops.npy", mmap_mode="r", allow_pickle=False) for shard in unseen]
    found = [pooled.views(np.asarray(block), device, PHOTOS_AT_ONCE) for block in crops]
    identity = np.concatenate([each.outputs[:, : pooled.rnet.layout.identity] for each in found])
    confidence = np.concatenate([each.confidence for each in found])
    subjects, truth = stacked(unseen, "subject"), stacked(unseen, "identity")
    return [pooling_error(identity, confidence, subjects, truth, views, seed) for views in COMPARED_VIEWS]
