"""One training of an ExpNet from plain arguments, so that it can run in processes of its own."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from infra.profiles import ExpNetConfig
from infra.settings import usable_cores
from models.losses import CoefficientLoss, objectives
from models.morphable.builtin import load_face
from models.networks.expnet import CoefficientLayout, build_expnet
from models.reconstructors.expnet import POSE_WEIGHTS_MM2, surface_basis
from models.reconstructors.stored import save_expnet
from models.training.device import pick_device
from models.training.ranks import my_part
from models.training.reconstruction import fit_regressor
from models.training.shards import CoefficientShards
from tasks.files import write_json
from tasks.jobs import curve_of, live_curve
from tasks.progress import announce
from tasks.wiring import open_workspace


class Fit(NamedTuple):
    """What to train on what: folders with `crops.npy` and `targets.npy`, sizes and schedule, and the run to log to."""

    shards: list[Path]
    config: ExpNetConfig
    seed: int
    run_id: str


def fit_expnet(folder: Path, scratch: Path, fit: Fit) -> None:
    """Train and write weights, shape and curve to `folder`; checkpoints go to `scratch`, live points to the run.

    Of several processes (see `tasks.ranks`) the first one writes.
    """
    workspace, part, config = open_workspace(), my_part(), fit.config
    if part.count > 1:
        torch.set_num_threads(max(1, len(usable_cores()) // part.here))
    layout = CoefficientLayout()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(fit.seed)
        network = build_expnet(config.depth, config.width, layout.size)
    run = workspace.tracker.reopen(fit.run_id)
    targets = [np.load(shard / "targets.npy", allow_pickle=False) for shard in fit.shards]
    result = fit_regressor(
        network,
        expnet_objective(config),
        CoefficientShards([shard / "crops.npy" for shard in fit.shards], np.concatenate(targets)),
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=1e-4,
        seed=fit.seed,
        checkpoint_dir=scratch,
        on_epoch=live_curve(run, "ExpNet", config.epochs, announce),
        device=pick_device(workspace.settings.device),
    )
    if part.is_first:
        save_expnet(folder, network, config.depth, config.width, config.pixels)
        write_json(folder / "history.json", curve_of(result.history))


def expnet_objective(config: ExpNetConfig) -> CoefficientLoss:
    """The loss that the profile asks for."""
    build = objectives[config.loss]
    if config.loss != "vertex_weighted_l2":
        return build()
    basis = surface_basis(load_face(subdivisions=0))
    return build(basis, np.array(POSE_WEIGHTS_MM2, dtype=np.float32))
