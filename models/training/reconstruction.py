"""Training of a coefficient regressor from photos with known coefficients."""

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.losses import CoefficientLoss
from models.training.augmentation import Augmentation, PhotoAugmentation
from models.training.batching import SeededBatches, batch_loader
from models.training.describe import describe_run
from models.training.learner import Learner, Measured
from models.training.loop import run_epochs
from models.training.recipe import OptimiserName, Precision, Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.shards import CoefficientShards


def fit_regressor(
    network: nn.Module,
    loss: CoefficientLoss,
    shards: CoefficientShards,
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
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `network` (in place; see `build_expnet`) with `loss`. See `run_epochs` for resuming.

    Raises `ConfigurationError` for an augmentation that mirrors: a mirrored face has other coefficients.
    """
    if isinstance(augment, PhotoAugmentation) and augment.mirror > 0:
        raise ConfigurationError("regression: a mirrored photo has other coefficients: set mirror to 0")
    head = cast(nn.Module, loss)
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed, optimiser)
    run = describe_run(network, recipe, shards.stack, shards.targets, axis=None, head=head, augment=augment)
    order = SeededBatches(len(shards.stack), batch_size, seed)
    learner = Learner(network, head, _Regress(loss), augment, None, recipe, epochs * len(order), run)
    loader = batch_loader(shards.stack, shards.targets, None, order)
    return run_epochs(
        learner,
        loader,
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        should_stop=should_stop,
        device=device,
        precision=precision,
    )


class _Regress:
    def __init__(self, loss: CoefficientLoss) -> None:
        self.loss = loss

    def __call__(self, outputs: Tensor, targets: Tensor, progress: float) -> Measured:  # noqa: ARG002
        return Measured(self.loss(outputs.float(), targets), None)
