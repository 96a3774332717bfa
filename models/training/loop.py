"""Runs a `Learner` to the end of its epochs, from its checkpoint where there is one."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.utils.data import DataLoader

from models.networks.preprocessing import require_safe_gradients, use_channels_last
from models.training.batching import SeededBatches
from models.training.callbacks import EpochCheckpoint, RowKeeper, StopRequestedError, StopWhen
from models.training.checkpoints import CHECKPOINT_NAME, SafetensorsCheckpointIO
from models.training.global_batch_norm import normalise_together
from models.training.learner import Learner
from models.training.quiet import quiet_lightning
from models.training.ranks import Part, require_parts
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
    with the same number of threads, the weights come out bit-identical to those of the unbroken run. In a process that
    `torch.distributed.run` started it trains with the others (see `ranks`).
    """
    require_safe_gradients(learner)
    quiet_lightning()
    checkpoint = checkpoint_dir / CHECKPOINT_NAME
    rows = RowKeeper(on_epoch)
    trainer = _build_trainer(learner, [rows, EpochCheckpoint(checkpoint), StopWhen(should_stop)], device, precision)
    if learner.part.count > 1:
        require_parts(cast(SeededBatches, loader.sampler).batch_size, learner.part)
        normalise_together(learner, device)
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


def _strategy(part: Part, device: torch.device) -> Strategy | str:
    """Gradients are the mean over all processes; GPUs talk by NCCL, CPUs by Gloo."""
    if part.count == 1:
        return "auto"
    return DDPStrategy(process_group_backend="nccl" if device.type == "cuda" else "gloo")


def _build_trainer(
    learner: Learner,
    callbacks: list[RowKeeper | EpochCheckpoint | StopWhen],
    device: torch.device,
    precision: Precision,
) -> Trainer:
    """A Trainer that keeps nothing on disk but our checkpoint, and prints nothing."""
    return Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=learner.part.here,
        num_nodes=learner.part.count // learner.part.here,
        strategy=_strategy(learner.part, device),
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
