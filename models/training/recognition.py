"""Training of one face network: pre-training on photos, or fine-tuning on one axis of normal images."""

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.losses import IdentityHead
from models.networks.sphere20 import Sphere20
from models.training.augmentation import Augmentation, NoAugmentation
from models.training.batching import SeededBatches, batch_loader
from models.training.describe import describe_run
from models.training.learner import Learner, Measured, Objective
from models.training.loop import run_epochs
from models.training.recipe import OptimiserName, Precision, Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.shards import ImageShards


def fit_recogniser(
    network: Sphere20,
    head_loss: IdentityHead,
    shards: ImageShards,
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
    axis: int | None = None,
    optimiser: OptimiserName = "adamw",
    augment: Augmentation = NoAugmentation(),  # noqa: B008 - frozen
    reinitialise_embedding: bool = False,
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `network` (in place) with the classifier `head_loss`, which is always drawn anew.

    `axis` picks Nx, Ny or Nz out of three-channel shards; `reinitialise_embedding` draws the fully connected layer anew
    too, as paper A (section 3.2) does in fine-tuning. See `run_epochs` for resuming. Raises `ConfigurationError` when
    the images do not fit the network.
    """
    _require_fitting(network, shards, axis)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _draw_anew(network, head_loss, reinitialise_embedding)
    head = cast(nn.Module, head_loss)
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed, optimiser)
    run = describe_run(network, recipe, shards.stack, shards.targets, axis=axis, head=head, augment=augment)
    order = SeededBatches(len(shards.stack), batch_size, seed)
    learner = Learner(network, head, _identify(head_loss), augment, axis, recipe, epochs * len(order), run)
    loader = batch_loader(shards.stack, shards.targets, axis, order)
    return run_epochs(
        learner,
        loader,
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        should_stop=should_stop,
        device=device,
        precision=precision,
    )


def _identify(head: IdentityHead) -> Objective:
    def measure(outputs: Tensor, targets: Tensor, progress: float) -> Measured:
        return Measured(*head(outputs, targets, progress))

    return measure


def _draw_anew(network: Sphere20, head: IdentityHead, embedding_too: bool) -> None:
    head.reset_parameters()
    if embedding_too:
        network.reset_embedding()


def _require_fitting(network: Sphere20, shards: ImageShards, axis: int | None) -> None:
    channels, *size = shards.stack.image_shape
    have = (channels if axis is None else 1, *size)
    need = (network.shape.channels_in, *network.shape.image_size)
    if have != need:
        raise ConfigurationError(f"images of shape {have} in {shards.stack.paths[0].parent}, the network takes {need}")
