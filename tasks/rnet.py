"""Training of R-Net on the face world, weakly or with labels, and its errors on people it has never seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from prefect import task

from infra.profiles.rnet import LossWeightsConfig, RNetConfig
from infra.store import Artefact
from models.losses.perceptual import Embedder
from models.morphable.textured import load_drawn_face, load_textured_face
from models.networks.face_embedding import FrozenEmbedding
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.landmark_error import LandmarkError
from models.reconstructors.rnet import RNet
from models.reconstructors.rnet_stored import save_rnet
from models.reconstructors.scoring import ShapeError
from models.training.device import pick_device
from models.training.mirrored_photos import MirroredPhotos
from models.training.rows import OnEpoch
from models.training.weak_reconstruction import fit_rnet
from models.training.weak_supervision import LossWeights, WeakSupervision
from tasks import policies
from tasks.build_landmarked import build_landmarked
from tasks.face_errors import FaceErrors, face_errors, from_data
from tasks.files import read_json, write_json
from tasks.fit_sphere20 import open_sphere20
from tasks.jobs import Job, child_run, complete_curve, curve_of, live_curve
from tasks.progress import announce
from tasks.rnet_supervision import build_supervision, landmark_shards, stacked
from tasks.stages import make, make_all
from tasks.synthesise import Collection
from tasks.wiring import Workspace, open_workspace

CODE = [
    "models.training.weak_reconstruction",
    "models.networks.face_embedding",
    "models.reconstructors.rnet_stored",
    "tasks.rnet_supervision",
    "tasks.face_errors",
]


class TrainedRNet(NamedTuple):
    """Where the weights are, the errors on held-out people, also before training, and what it was trained with."""

    artefact: Artefact
    error: ShapeError
    landmark_error: LandmarkError
    data: list[Artefact]
    untrained: FaceErrors
    config: RNetConfig
    embedder: Artefact | None


@task(name="train R-Net", **policies.STAGE)
def train_rnet(
    photos: Collection,
    held_out: Collection,
    config: RNetConfig,
    seed: int,
    job: Job,
    embedder: Artefact | None = None,
) -> TrainedRNet:
    """Learn 257 numbers from photos and landmarks, and from labels where `config` weighs them (paper B, 3.2).

    `held_out` shows other people and gives the errors. `embedder` is a trained Sphere20 for photos: the perceptual loss
    needs it, else `ConfigurationError`.
    """
    return trained_rnet(open_workspace(), photos, held_out, config, seed, job, embedder)


def trained_rnet(
    workspace: Workspace,
    photos: Collection,
    held_out: Collection,
    config: RNetConfig,
    seed: int,
    job: Job,
    embedder: Artefact | None = None,
    name: str = "R-Net",
) -> TrainedRNet:
    """What `train_rnet` does, for tasks that train several; `name` is that of the run in MLflow."""
    losses = supervision(config, embedder)
    seen, unseen = (landmarked(workspace, given, config.pixels) for given in (photos, held_out))
    settings = _settings(config) | {"seed": seed}
    kind = "hybrid" if config.weights.labels else "weak"
    run = child_run(workspace, job, name, tags={"network": "rnet", "supervision": kind})
    run.log_params(settings | counts(seen))

    def build(folder: Path, scratch: Path) -> None:
        device = pick_device(workspace.settings.device)
        network = RNet(_new(config, seed), load_textured_face(), RNetLayout(), config.pixels)
        write_json(folder / "untrained.json", face_errors(network, unseen, device).as_data())
        on_epoch = live_curve(run, name, config.geometry_epochs + config.epochs, announce)
        history = _fit(network.network, losses, seen, config, seed, scratch, on_epoch, device)
        save_rnet(folder, network.network, network.layout, config.depth, config.width, config.pixels)
        write_json(folder / "history.json", history)
        write_json(folder / "error.json", face_errors(network, unseen, device).as_data())

    made = make(workspace, "rnet", [*seen, *unseen, *used_embedder(config, embedder)], settings, CODE, build)
    errors, untrained = (from_data(read_json(made.path / file)) for file in ("error.json", "untrained.json"))
    complete_curve(run, read_json(made.path / "history.json"))
    for prefix, found in (("heldout", errors), ("untrained", untrained)):
        run.log_metrics({f"{prefix}.{metric}": value for metric, value in found.as_data().items()})
    run.finish()
    return TrainedRNet(made, *errors, [*seen, *unseen], untrained, config, embedder)


def landmarked(workspace: Workspace, photos: Collection, pixels: int) -> list[Artefact]:
    """The photos as aligned crops with landmarks and labels, a shard for each of theirs."""
    units = [([shard], {"pixels": pixels}) for shard in photos.shards]
    paths = [{"shard": shard.path} for shard in photos.shards]
    code = ["tasks.build_landmarked"]
    return make_all(workspace, "landmarked", units, code, build_landmarked, "R-Net crops", paths)


def supervision(config: RNetConfig, embedder: Artefact | None) -> WeakSupervision:
    """The losses that `config` weighs; raises `ConfigurationError` when one lacks what it needs."""
    embed: Embedder | None = None
    for used in used_embedder(config, embedder):
        embed = FrozenEmbedding(open_sphere20(used.path))
    weights = LossWeights(**config.weights.model_dump())
    return build_supervision(weights, config.pixels, config.fine_mesh, embed)


def used_embedder(config: RNetConfig, embedder: Artefact | None) -> list[Artefact]:
    """The photo network, where the losses look through it."""
    return [embedder] if embedder is not None and config.weights.perceptual else []


def _settings(config: RNetConfig) -> dict[str, Any]:
    """The configuration without nesting, as MLflow shows parameters."""
    return config.model_dump(exclude={"weights"}) | config.weights.model_dump()


def counts(shards: Sequence[Artefact]) -> dict[str, int]:
    """How many people and photos there are."""
    subjects = stacked(shards, "subject")
    return {"people": len(np.unique(subjects)), "photos": len(subjects)}


def _new(config: RNetConfig, seed: int) -> RNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RNetwork(config.depth, config.width, RNetLayout().size)


def _fit(
    network: RNetwork,
    losses: WeakSupervision,
    shards: Sequence[Artefact],
    config: RNetConfig,
    seed: int,
    scratch: Path,
    on_epoch: OnEpoch,
    device: torch.device,
) -> list[dict[str, Any]]:
    """Where a face is and what shape it has first, then its looks too; one curve, whose loss gains terms on the way."""
    data = landmark_shards(shards, labelled=config.weights.labels > 0)
    shape = supervision(config.model_copy(update={"weights": geometry_only(config.weights)}), None)
    mirror = MirroredPhotos(load_drawn_face(), RNetLayout(), config.pixels, config.mirror) if config.mirror else None
    history: list[dict[str, Any]] = []
    drawing_rate = config.learning_rate * config.drawing_rate
    parts = (
        ("geometry", shape, config.geometry_epochs, config.learning_rate),
        ("all", losses, config.epochs, drawing_rate),
    )
    for part, loss, epochs, rate in parts:
        if epochs == 0:
            continue
        result = fit_rnet(
            network,
            loss,
            data,
            epochs=epochs,
            batch_size=config.batch_size,
            learning_rate=rate,
            weight_decay=1e-4,
            seed=seed,
            checkpoint_dir=scratch / part,
            on_epoch=_counting_from(len(history), on_epoch),
            device=device,
            mirror=mirror,
        )
        history += curve_of([row._replace(epoch=row.epoch + len(history)) for row in result.history])
    return history


def geometry_only(weights: LossWeightsConfig) -> LossWeightsConfig:
    """The weights without the losses on looks."""
    return weights.model_copy(update={"photometric": 0.0, "perceptual": 0.0, "texture": 0.0})


def _counting_from(done: int, on_epoch: OnEpoch) -> OnEpoch:
    return lambda row: on_epoch(row._replace(epoch=row.epoch + done))
