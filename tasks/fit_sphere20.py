"""One training of a Sphere20 from plain arguments, so that it can run in a process of its own."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Int64
from numpy import ndarray

from infra.profiles import RecogniserConfig, TrainingConfig
from models.losses import IdentityHead, heads
from models.networks.sphere20 import Sphere20, adapt_to_normals
from models.training.augmentation import Augmentation, NormalAugmentation, PhotoAugmentation
from models.training.device import pick_device
from models.training.recognition import fit_recogniser
from models.training.safetensor_files import load_weights, save_weights
from models.training.shards import ImageShards
from tasks.files import read_json, write_json
from tasks.jobs import curve_of, live_curve
from tasks.progress import announce
from tasks.wiring import open_workspace

LossName = Literal["cross_entropy", "lmcl"]
AS_PHOTOGRAPHED = PhotoAugmentation()
AS_SCANNED = NormalAugmentation(shift_px=1, noise=0.05)
"""Finer than the default: pose, size and noise are varied on the mesh already."""


class Fit(NamedTuple):
    """What to train on what. `start` is the folder of the network to adapt to normals; None starts anew on photos."""

    name: str
    start: Path | None
    axis: int | None
    loss: LossName
    images: list[Path]
    labels: Int64[ndarray, " n"]
    classes: int
    numbers: TrainingConfig
    config: RecogniserConfig
    seed: int
    run_id: str
    threads: int

    @property
    def augment(self) -> Augmentation:
        """Photos vary as cameras make them vary, normal images as scanners do."""
        return AS_PHOTOGRAPHED if self.axis is None else AS_SCANNED


def fit_sphere20(folder: Path, scratch: Path, fit: Fit) -> None:
    """Train and write weights, shape and curve to `folder`; checkpoints go to `scratch`, live points to the run."""
    workspace = open_workspace()
    torch.set_num_threads(fit.threads)
    network = _new(fit) if fit.start is None else adapt_to_normals(open_sphere20(fit.start))
    run = workspace.tracker.reopen(fit.run_id)
    result = fit_recogniser(
        network,
        _head(fit),
        ImageShards(fit.images, fit.labels),
        **fit.numbers.model_dump(),
        seed=fit.seed,
        checkpoint_dir=scratch,
        on_epoch=live_curve(run, fit.name, fit.numbers.epochs, announce),
        device=pick_device(workspace.settings.device),
        axis=fit.axis,
        augment=fit.augment,
        reinitialise_embedding=fit.start is not None,
    )
    save_weights(folder / "weights.safetensors", network)
    write_json(folder / "shape.json", vars(network.shape))
    write_json(folder / "history.json", curve_of(result.history))


def open_sphere20(folder: Path) -> Sphere20:
    """The trained network in a folder, in evaluation mode."""
    shape: dict[str, Any] = read_json(folder / "shape.json")
    height, width = shape.pop("image_size")
    network = Sphere20(image_size=(height, width), **shape)
    load_weights(folder / "weights.safetensors", network)
    return network.eval()


def _new(fit: Fit) -> Sphere20:
    config = fit.config
    size = (config.photo_pixels, config.photo_pixels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(fit.seed)
        return Sphere20(3, config.width, size, config.embedding, config.batch_norm)


def _head(fit: Fit) -> IdentityHead:
    margin = fit.config.lmcl.model_dump() if fit.loss == "lmcl" else {}
    return heads[fit.loss](embedding=fit.config.embedding, classes=fit.classes, **margin)
