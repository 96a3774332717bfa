"""Runs a `Learner` to the end of its epochs, from its checkpoint where there is one."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from models.networks.preprocessing import use_channels_last
from models.training.callbacks import EpochCheckpoint, RowKeeper, StopRequestedError, StopWhen
from models.training.checkpoints import CHECKPOINT_NAME, SafetensorsCheckpointIO
from models.training.learner import Learner
from models.training.quiet import quiet_lightning
from models.training.recipe import Precision
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.shards import Batch


def run_epochs(
    learner: Learner,
    loader: DataLoader[Batch],
    *,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    should_stop: ShouldStop,
    device: torch.device,
    precision: Precision,
) -> FitResult:
    """Train until the recipe's last epoch or until `should_stop`.

    Killed at any moment and called again with the same arguments, it goes on after the last whole epoch; on the CPU,
    with the same number of threads, the weights come out bit-identical to those of the unbroken run.
    """
    quiet_lightning()
    checkpoint = checkpoint_dir / CHECKPOINT_NAME
    rows = RowKeeper(on_epoch)
    trainer = _build_trainer(learner, [rows, EpochCheckpoint(checkpoint), StopWhen(should_stop)], device, precision)
    use_channels_last(learner)
    try:
        with _ctrl_c_passes():
            trainer.fit(learner, loader, ckpt_path=checkpoint if checkpoint.is_file() else None)
    except StopRequestedError:
        return FitResult(tuple(rows.history), finished=False)
    finally:
        learner.to("cpu")
    return FitResult(tuple(rows.history), finished=True)


@contextmanager
def _ctrl_c_passes() -> Generator[None]:
    """Ctrl-C leaves as `KeyboardInterrupt`; Lightning would end the process with code 1 and ignore the next Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as ended:
        if not isinstance(ended.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _build_trainer(
    learner: Learner,
    callbacks: list[RowKeeper | EpochCheckpoint | StopWhen],
    device: torch.device,
    precision: Precision,
) -> Trainer:
    """A Trainer that keeps nothing on disk but our checkpoint, and prints nothing."""
    return Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=precision,
        max_epochs=learner.recipe.epochs,
        callbacks=[*callbacks],
        plugins=[SafetensorsCheckpointIO()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
