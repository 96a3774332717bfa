"""Lightning callbacks: rows for the caller, a checkpoint after each epoch, a stop when asked."""

import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from models.training.learner import Learner
from models.training.rows import EpochRow, OnEpoch, ShouldStop


class StopRequestedError(Exception):
    """Leaves the loop in the middle of an epoch; never seen outside this room."""


class RowKeeper(Callback):
    """Measures each epoch, keeps its row in the checkpoint and hands it to the caller, of several processes in one."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        self.on_epoch = on_epoch
        self.history: list[EpochRow] = []
        self._started = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start the clock."""
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the epoch."""
        assert isinstance(pl_module, Learner)  # noqa: S101 - no other module is trained with it
        pl_module.sum_up()
        loss = pl_module.loss_sum.item() / pl_module.images_seen  # waits for the device, so before the clock is read
        correct = pl_module.correct_sum
        accuracy = None if correct is None else correct.item() / pl_module.images_seen
        seconds = time.perf_counter() - self._started
        row = EpochRow(trainer.current_epoch + 1, loss, accuracy, seconds, pl_module.images_seen / seconds)
        self.history.append(row)
        if trainer.is_global_zero:
            self.on_epoch(row)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"history": [list(row) for row in self.history]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Rows of the run that is resumed."""
        self.history = [EpochRow(*row) for row in state_dict["history"]]


class EpochCheckpoint(Callback):
    """Replaces the one checkpoint file after each epoch; stands after `RowKeeper`, whose rows it stores."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Store the whole state."""
        trainer.save_checkpoint(self.path, weights_only=False)


class StopWhen(Callback):
    """Asks before each step whether to stop."""

    def __init__(self, should_stop: ShouldStop) -> None:
        self.should_stop = should_stop

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Leave at once: half an epoch must never reach a checkpoint."""
        if self.should_stop():
            raise StopRequestedError
