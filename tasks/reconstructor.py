"""Training of the ExpNet on the face world, and its error on people it has never seen."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from prefect import task

from infra.profiles import ExpNetConfig
from infra.store import Artefact
from models.reconstructors.expnet import ExpNet
from models.reconstructors.scoring import ShapeError, shape_error
from models.reconstructors.stored import load_expnet
from models.training.device import pick_device
from tasks import policies
from tasks.build_regression import build_regression
from tasks.files import read_json, write_json
from tasks.fit_expnet import Fit, fit_expnet
from tasks.jobs import Job, child_run, complete_curve
from tasks.ranks import run_ranks
from tasks.stages import make, make_all
from tasks.synthesise import Collection
from tasks.wiring import Workspace, open_workspace

CODE = ["tasks.fit_expnet", "models.reconstructors.scoring"]


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
        fit = Fit([shard.path for shard in shards], config, seed, run.run_id)
        if workspace.settings.training_ranks > 1:
            run_ranks(workspace.settings, "expnet", folder, scratch, fit)
        else:
            fit_expnet(folder, scratch, fit)
        write_json(folder / "error.json", expnet_error(workspace, load_expnet(folder), unseen)._asdict())

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


def expnet_error(workspace: Workspace, network: ExpNet, unseen: list[Artefact]) -> ShapeError:
    """How far its faces are from the true ones of people it never saw; `unseen` are regression shards."""
    device = pick_device(workspace.settings.device)
    crops = (np.load(shard.path / "crops.npy", mmap_mode="r", allow_pickle=False) for shard in unseen)
    predicted = [face for block in crops for face in network.coefficients(np.asarray(block), device)]
    return shape_error(predicted, stacked(unseen, "identity"), stacked(unseen, "expression"))


def stacked(shards: list[Artefact], name: str) -> ndarray:
    """The rows of `<name>.npy` of all shards."""
    return np.concatenate([np.load(shard.path / f"{name}.npy", allow_pickle=False) for shard in shards])
