"""Training whose step is a function of its own: networks that take more than images and give more than one output."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from models.training.augmentation import NoAugmentation
from models.training.batching import SeededBatches, step_generator
from models.training.learner import Learner, Measured
from models.training.loop import run_epochs
from models.training.recipe import Precision, Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.safetensor_files import tensors_digest
from models.training.shards import Batch

Step = Callable[[Any, torch.Generator], Float[Tensor, ""] | Measured]
"""(batch, random numbers of the step) -> mean loss of the batch, with right answers where there are any."""

Gather = Callable[[Int64[ndarray, " b"]], Any]
"""Row numbers -> their batch, whose first element has one entry a row."""


class StepLearner(Learner):
    """A `Learner` that trains `network` with `step`; it counts, resumes and reports as any other.

    Longer gradients than `longest_gradient` are shortened to it: one odd batch must not undo what many have done.
    """

    def __init__(
        self,
        network: nn.Module,
        step: Step,
        recipe: Recipe,
        steps: int,
        run: dict[str, Any],
        longest_gradient: float,
    ) -> None:
        super().__init__(network, nn.Identity(), _loss_itself, NoAugmentation(), None, recipe, steps, run)
        self.step = step
        self.longest_gradient = longest_gradient

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        generator = step_generator(self.recipe.seed, self.current_epoch, batch_idx, self.device)
        found = self.step(batch, generator)
        measured = found if isinstance(found, Measured) else Measured(found, None)
        self._count(measured, len(batch[0]))
        return measured.loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:  # noqa: ARG002
        """Shorten the gradient."""
        nn.utils.clip_grad_norm_(self.network.parameters(), self.longest_gradient)


def fit_steps(
    network: nn.Module,
    step: Step,
    gather: Gather,
    order: SeededBatches,
    recipe: Recipe,
    run: dict[str, Any],
    *,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    precision: Precision = "32-true",
    longest_gradient: float = math.inf,
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `network` (in place) on the batches of `order`. `run` is what `describe_steps` gives; see `run_epochs`."""
    learner = StepLearner(network, step, recipe, recipe.epochs * len(order), run, longest_gradient)
    unused = torch.Generator()  # as in `batch_loader`
    loader: DataLoader[Any] = DataLoader(_Gathered(gather), sampler=order, batch_size=None, generator=unused)
    return run_epochs(
        learner,
        cast(DataLoader[Batch], loader),
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        should_stop=should_stop,
        device=device,
        precision=precision,
    )


def describe_steps(
    network: nn.Module, recipe: Recipe, settings: Mapping[str, Any], data: Mapping[str, ndarray]
) -> dict[str, Any]:
    """What must agree before a checkpoint is resumed: numbers, data (by hash) and initial weights."""
    return {
        "recipe": asdict(recipe),
        "settings": dict(settings),
        "data": {name: hashlib.sha256(values.tobytes()).hexdigest() for name, values in data.items()},
        "initial weights": tensors_digest(network.state_dict()),
    }


class _Gathered(Dataset[Any]):
    def __init__(self, gather: Gather) -> None:
        self.gather = gather

    def __getitem__(self, rows: Int64[ndarray, " b"]) -> Any:
        return self.gather(rows)


def _loss_itself(outputs: Tensor, targets: Tensor, progress: float) -> Measured:  # noqa: ARG001
    """The objective where a step has measured already."""
    return Measured(outputs, None)
