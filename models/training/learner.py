"""One training step, for recognition and reconstruction alike."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from models.errors import ArtefactError
from models.training.augmentation import Augmentation
from models.training.batching import step_generator
from models.training.ranks import my_part, sum_over_all
from models.training.recipe import Recipe, build_optimiser, build_schedule
from models.training.shards import Batch

RUN_KEY = "trinormal_run"


class Measured(NamedTuple):
    """Mean loss of a batch, and the number of right answers where there are any."""

    loss: Float[Tensor, ""]
    correct: Tensor | None


Exchange = Callable[[Batch, torch.Generator], Batch]
"""(batch, random numbers of the step) -> one in which some images, and what is known of them, are others."""

Objective = Callable[[Tensor, Tensor, float], Measured]
"""(outputs, targets, finished share of training) -> `Measured`."""


class Learner(LightningModule):
    """Network and loss with their recipe, as Lightning wants them; sums of the epoch stay on the device.

    Of several processes each exchanges and augments the whole batch, so that draws are the same, and learns its part.

    `steps` counts those of all epochs; `run` describes the run: a checkpoint of another run is refused with
    `ArtefactError`. `exchange` comes before `augment`, which changes images alone.
    """

    def __init__(
        self,
        network: nn.Module,
        head: nn.Module,
        objective: Objective,
        augment: Augmentation,
        axis: int | None,
        recipe: Recipe,
        steps: int,
        run: dict[str, Any],
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.head = head
        self.objective = objective
        self.augment = augment
        self.axis = axis
        self.recipe = recipe
        self.steps = steps
        self.run = run
        self.exchange = exchange
        self.loss_sum = torch.zeros(())
        self.correct_sum: Tensor | None = None
        self.images_seen = 0
        self.part = my_part()

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch's sums."""
        self.loss_sum = torch.zeros((), device=self.device)
        self.correct_sum = None
        self.images_seen = 0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one augmented batch."""
        generator = step_generator(self.recipe.seed, self.current_epoch, batch_idx, self.device)
        batch = batch if self.exchange is None else self.exchange(batch, generator)
        values = self.augment(batch.images, generator, self.axis)
        mine = self.part.of(values)
        progress = self.global_step / self.steps
        measured = self.objective(self.network(mine), self.part.of(batch.targets), progress)
        self._count(measured, len(mine))
        return measured.loss * self.part.weight(len(mine), len(values)) if self.part.count > 1 else measured.loss

    def sum_up(self) -> None:
        """Make the epoch's sums those of all processes."""
        if self.part.count == 1:
            return
        correct = self.loss_sum.new_zeros(()) if self.correct_sum is None else self.correct_sum
        mine = [self.loss_sum, correct, self.loss_sum.new_tensor(self.images_seen)]
        loss, right, images = sum_over_all(torch.stack([value.double() for value in mine]))
        self.loss_sum, self.images_seen = loss, int(images)
        self.correct_sum = None if self.correct_sum is None else right

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule of the recipe, stepped with each batch."""
        optimiser = build_optimiser(self, self.recipe)
        schedule = build_schedule(optimiser, self.steps, self.recipe)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say whose checkpoint it is."""
        checkpoint[RUN_KEY] = self.run

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on from a run with other numbers, data or initial weights."""
        stored = checkpoint.get(RUN_KEY, {})
        other = sorted(key for key in {*stored, *self.run} if stored.get(key) != self.run.get(key))
        if other:
            raise ArtefactError(
                f"the checkpoint belongs to another run (other {', '.join(other)}): choose another checkpoint folder"
            )

    def _count(self, measured: Measured, images: int) -> None:
        self.loss_sum += measured.loss.detach() * images
        self.images_seen += images
        if measured.correct is not None:
            self.correct_sum = measured.correct if self.correct_sum is None else self.correct_sum + measured.correct
