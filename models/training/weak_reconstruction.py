"""Training of R-Net from photos and their landmarks, and of C-Net from several photos of each person."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64
from numpy import ndarray
from torch import Tensor, nn

from models.errors import ConfigurationError, DataError
from models.networks.cnet import CNet
from models.networks.rnet import RNetwork
from models.training.augmentation import Augmentation, PhotoAugmentation
from models.training.batching import SeededBatches, batch_loader
from models.training.describe import describe_run
from models.training.landmark_shards import LandmarkShards
from models.training.learner import Learner, Measured
from models.training.loop import run_epochs
from models.training.mirrored_photos import MirroredPhotos
from models.training.photo_analysis import Analysis, PhotoSets, SinglePhotos
from models.training.recipe import OptimiserName, Precision, Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.view_sets import ViewSets
from models.training.weak_supervision import WeakSupervision


def fit_rnet(
    network: RNetwork,
    supervision: WeakSupervision,
    shards: LandmarkShards,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    precision: Precision = "32-true",
    optimiser: OptimiserName = "adamw",
    augment: Augmentation = PhotoAugmentation(mirror=0.0),  # noqa: B008 - frozen
    mirror: MirroredPhotos | None = None,
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `network` (in place), weakly or, if `supervision` weighs labels, hybrid. See `run_epochs` for resuming.

    The losses look at the augmented photos: their light is the one to be found, and what is painted over is no skin.
    `mirror` exchanges photos for their mirror images. Raises `ConfigurationError` for an augmentation that mirrors, or
    photos of another size than `supervision` draws.
    """
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed, optimiser)
    order = SeededBatches(len(shards.stack), batch_size, seed)
    more = {} if mirror is None else {"mirror": repr(mirror)}
    trained = _learner(SinglePhotos(network), supervision, shards, order, recipe, augment, more, mirror)
    loader = batch_loader(shards.stack, shards.targets, None, order)
    return run_epochs(
        trained,
        loader,
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        should_stop=should_stop,
        device=device,
        precision=precision,
    )


def fit_cnet(
    confidence: CNet,
    network: RNetwork,
    supervision: WeakSupervision,
    shards: LandmarkShards,
    subjects: Int64[ndarray, " n"],
    *,
    views: int,
    epochs: int,
    sets: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    precision: Precision = "32-true",
    optimiser: OptimiserName = "adamw",
    augment: Augmentation = PhotoAugmentation(mirror=0.0),  # noqa: B008 - frozen
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `confidence` (in place) on sets of `views` photos of one of the `subjects`, `sets` of them a step.

    `network` is a trained R-Net; it is frozen, in place. The losses are those of `fit_rnet`, on every photo of a set
    with the identity pooled over it. Raises as `fit_rnet`, and `DataError` when nobody has `views` photos or the
    subjects are not as many as the crops.
    """
    if len(subjects) != len(shards.stack):
        raise DataError(f"{len(shards.stack)} crops but {len(subjects)} subjects: name the subject of each crop")
    recipe = Recipe(epochs, sets, learning_rate, weight_decay, seed, optimiser)
    order = ViewSets(subjects, views, sets, seed)
    pooled = PhotoSets(network, confidence, supervision.layout, views)
    sets_of = {"views": views, "subjects": hashlib.sha256(subjects.tobytes()).hexdigest()}
    trained = _learner(pooled, supervision, shards, order, recipe, augment, sets_of)
    loader = batch_loader(shards.stack, shards.targets, None, order)
    return run_epochs(
        trained,
        loader,
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        should_stop=should_stop,
        device=device,
        precision=precision,
    )


def _learner(
    network: nn.Module,
    supervision: WeakSupervision,
    shards: LandmarkShards,
    order: SeededBatches,
    recipe: Recipe,
    augment: Augmentation,
    more: dict[str, Any],
    mirror: MirroredPhotos | None = None,
) -> Learner:
    _require_fitting(supervision, shards, augment)
    run = describe_run(network, recipe, shards.stack, shards.targets, axis=None, head=supervision, augment=augment)
    steps = recipe.epochs * len(order)
    return Learner(network, supervision, _Compare(supervision), augment, None, recipe, steps, run | more, mirror)


def _require_fitting(supervision: WeakSupervision, shards: LandmarkShards, augment: Augmentation) -> None:
    if isinstance(augment, PhotoAugmentation) and augment.mirror > 0:
        raise ConfigurationError("weak training: a mirrored photo has other landmarks: give MirroredPhotos instead")
    pixels = supervision.synthesis.pixels
    if shards.stack.image_shape != (3, pixels, pixels):
        raise ConfigurationError(f"crops of shape {shards.stack.image_shape}, the renderer draws {(3, pixels, pixels)}")


class _Compare:
    def __init__(self, supervision: WeakSupervision) -> None:
        self.supervision = supervision

    def __call__(self, analysis: Any, targets: Tensor, progress: float) -> Measured:  # noqa: ARG002
        assert isinstance(analysis, Analysis)  # noqa: S101 - what both networks here give
        return Measured(self.supervision(analysis.outputs, analysis.values, targets).total, None)
