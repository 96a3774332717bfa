"""Training of the ExpNet on the face world, and its error on people it has never seen."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy import ndarray
from prefect import task

from infra.profiles import ExpNetConfig
from infra.store import Artefact
from models.losses import CoefficientLoss, objectives
from models.morphable.builtin import load_face
from models.networks.expnet import CoefficientLayout, build_expnet
from models.reconstructors.expnet import POSE_WEIGHTS_MM2, ExpNet, surface_basis
from models.reconstructors.scoring import ShapeError, shape_error
from models.reconstructors.stored import save_expnet
from models.training.device import pick_device
from models.training.reconstruction import fit_regressor
from models.training.rows import OnEpoch
from models.training.shards import CoefficientShards
from tasks import policies
from tasks.build_regression import build_regression
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run, complete_curve, curve_of, live_curve
from tasks.progress import announce
from tasks.stages import make, make_all
from tasks.synthesise import Collection
from tasks.wiring import Workspace, open_workspace

CODE = [
    "models.training.reconstruction",
    "models.reconstructors.expnet",
    "models.reconstructors.scoring",
    "models.reconstructors.stored",
]


class TrainedExpNet(NamedTuple):
    """Where the weights are, and how far the reconstructed faces are from the true ones (mm)."""

    artefact: Artefact
    error: ShapeError
    data: list[Artefact]


@task(name="train ExpNet", **policies.STAGE)
def train_expnet(photos: Collection, held_out: Collection, config: ExpNetConfig, seed: int, job: Job) -> TrainedExpNet:
    """Regress 99 + 29 coefficients and pose; `held_out` shows other people and gives the error."""
    workspace = open_workspace()
    shards, unseen = (regression_shards(workspace, given, config.pixels) for given in (photos, held_out))
    settings = config.model_dump(exclude={"world", "held_out_people"}) | {"seed": seed}
    run = child_run(workspace, job, "ExpNet", tags={"network": "expnet", "loss": config.loss})
    run.log_params(
        settings | {"people": config.world.people, "photos": config.world.people * config.world.photos_per_person}
    )

    def build(folder: Path, scratch: Path) -> None:
        on_epoch = live_curve(run, "ExpNet", config.epochs, announce)
        network, history = _fit(workspace, shards, config, seed, scratch, on_epoch)
        save_expnet(folder, network.network, config.depth, config.width, config.pixels)
        write_json(folder / "history.json", history)
        write_json(folder / "error.json", expnet_error(workspace, network, unseen)._asdict())

    made = make(workspace, "expnet", [*shards, *unseen], settings, CODE, build)
    trained = TrainedExpNet(made, ShapeError(**read_json(made.path / "error.json")), [*shards, *unseen])
    complete_curve(run, read_json(made.path / "history.json"))
    run.log_metrics({f"heldout.{name}": float(value) for name, value in trained.error._asdict().items()})
    run.finish()
    return trained


def regression_shards(workspace: Workspace, photos: Collection, pixels: int) -> list[Artefact]:
    """Aligned crops of `pixels` with the coefficients and pose behind them: see `build_regression`."""
    units = [([shard], {"pixels": pixels}) for shard in photos.shards]
    paths = [{"shard": shard.path} for shard in photos.shards]
    code = ["tasks.build_regression"]
    return make_all(workspace, "regression", units, code, build_regression, "crops with coefficients", paths)


def _fit(
    workspace: Workspace, shards: list[Artefact], config: ExpNetConfig, seed: int, scratch: Path, on_epoch: OnEpoch
) -> tuple[ExpNet, list[dict[str, Any]]]:
    layout = CoefficientLayout()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_expnet(config.depth, config.width, layout.size)
    result = fit_regressor(
        network,
        expnet_objective(config),
        CoefficientShards([shard.path / "crops.npy" for shard in shards], stacked(shards, "targets")),
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=1e-4,
        seed=seed,
        checkpoint_dir=scratch,
        on_epoch=on_epoch,
        device=pick_device(workspace.settings.device),
    )
    return ExpNet(network, load_face(), layout), curve_of(result.history)


def expnet_objective(config: ExpNetConfig) -> CoefficientLoss:
    """The loss that the profile asks for."""
    build = objectives[config.loss]
    if config.loss != "vertex_weighted_l2":
        return build()
    basis = surface_basis(load_face(subdivisions=0))
    return build(basis, np.array(POSE_WEIGHTS_MM2, dtype=np.float32))


def expnet_error(workspace: Workspace, network: ExpNet, unseen: list[Artefact]) -> ShapeError:
    """How far its faces are from the true ones of people it never saw; `unseen` are regression shards."""
    device = pick_device(workspace.settings.device)
    crops = (np.load(shard.path / "crops.npy", mmap_mode="r", allow_pickle=False) for shard in unseen)
    predicted = [face for block in crops for face in network.coefficients(np.asarray(block), device)]
    return shape_error(predicted, stacked(unseen, "identity"), stacked(unseen, "expression"))


def stacked(shards: list[Artefact], name: str) -> ndarray:
    """The rows of `<name>.npy` of all shards."""
    return np.concatenate([np.load(shard.path / f"{name}.npy", allow_pickle=False) for shard in shards])
