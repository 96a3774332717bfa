"""ExpNet trained on, with or without an eye on recognition: the joint fine-tuning that the paper leaves to others."""

from pathlib import Path
from typing import NamedTuple

from prefect import task
from torch import nn

from infra.profiles import ExpNetConfig, NormalsConfig
from infra.store import Artefact
from models.geometry.range_image import Grid
from models.losses.recognition_aware import RecognitionAware
from models.networks.sphere20 import Sphere20
from models.reconstructors.recognised import CoefficientImages
from models.reconstructors.scoring import ShapeError
from models.reconstructors.stored import load_expnet, save_expnet
from models.training.device import pick_device
from models.training.reconstruction import fit_regressor
from models.training.shards import CoefficientShards
from tasks import policies
from tasks.embed import Three
from tasks.files import read_json, write_json
from tasks.fit_expnet import expnet_objective
from tasks.jobs import Job, child_run, complete_curve, curve_of, live_curve
from tasks.progress import announce
from tasks.recogniser import load_sphere20
from tasks.reconstructor import TrainedExpNet, expnet_error, regression_shards, stacked
from tasks.stages import make
from tasks.synthesise import Collection
from tasks.wiring import open_workspace

CODE = ["models.training.reconstruction", "models.losses.recognition_aware", "models.reconstructors.recognised"]


class Refining(NamedTuple):
    """Epochs, learning rate, and how much (mm^2) it costs that the recogniser takes a face for a stranger's."""

    epochs: int
    learning_rate: float
    weight_mm2: float


@task(name="train ExpNet on", **policies.STAGE)
def refine_expnet(
    start: Artefact,
    worlds: tuple[Collection, Collection],
    branches: Three,
    config: ExpNetConfig,
    normals: NormalsConfig,
    refining: Refining,
    seed: int,
    job: Job,
) -> TrainedExpNet:
    """From the weights of `start`, on photos of the first world, measured on the second.

    The branches only look on, and with a weight of zero not even that: the control, trained on for as long.
    """
    workspace = open_workspace()
    shards, unseen = (regression_shards(workspace, world, config.pixels) for world in worlds)
    grid = [normals.pixels, normals.pixels, normals.mm_per_pixel]
    settings = {**refining._asdict(), "batch_size": config.batch_size, "loss": config.loss, "grid": grid, "seed": seed}
    watching = refining.weight_mm2 > 0
    run = child_run(workspace, job, "ExpNet", tags={"network": "expnet", "loss": config.loss})
    run.log_params(settings)

    def build(folder: Path, scratch: Path) -> None:
        expnet = load_expnet(start.path)
        loss: nn.Module = expnet_objective(config)  # pyright: ignore[reportAssignmentType] - all are modules
        if watching:
            lattice = Grid(normals.pixels, normals.pixels, normals.mm_per_pixel)
            imaging = CoefficientImages(expnet.face, expnet.layout, lattice, normals.crop_radius_mm)
            networks: list[Sphere20] = [load_sphere20(branch) for branch in branches]
            loss = RecognitionAware(loss, imaging, networks, refining.weight_mm2)
        result = fit_regressor(
            expnet.network,
            loss,
            CoefficientShards([shard.path / "crops.npy" for shard in shards], stacked(shards, "targets")),
            epochs=refining.epochs,
            batch_size=config.batch_size,
            learning_rate=refining.learning_rate,
            weight_decay=1e-4,
            seed=seed + 1,
            checkpoint_dir=scratch,
            on_epoch=live_curve(run, "ExpNet, on", refining.epochs, announce),
            device=pick_device(workspace.settings.device),
        )
        save_expnet(folder, expnet.network, config.depth, config.width, config.pixels)
        write_json(folder / "history.json", curve_of(result.history))
        write_json(folder / "error.json", expnet_error(workspace, expnet, unseen)._asdict())

    watched = [branch.artefact for branch in branches] if watching else []
    made = make(workspace, "expnet", [start, *watched, *shards, *unseen], settings, CODE, build)
    error = ShapeError(**read_json(made.path / "error.json"))
    complete_curve(run, read_json(made.path / "history.json"))
    run.log_metrics({f"heldout.{name}": float(value) for name, value in error._asdict().items()})
    run.finish()
    return TrainedExpNet(made, error, [*shards, *unseen])
