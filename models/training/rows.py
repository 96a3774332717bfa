"""What a training run reports."""

from collections.abc import Callable
from typing import NamedTuple


class EpochRow(NamedTuple):
    """One finished epoch, counted from 1; `accuracy` (0-1, on the augmented training images) only for recognition."""

    epoch: int
    loss: float
    accuracy: float | None
    seconds: float
    images_per_second: float


class FitResult(NamedTuple):
    """Rows of all epochs, earlier runs of a resumed training included; `finished` is False after a stop."""

    history: tuple[EpochRow, ...]
    finished: bool


OnEpoch = Callable[[EpochRow], None]
"""Called after each epoch and before its checkpoint: a killed run may report an epoch twice, never not at all."""

ShouldStop = Callable[[], bool]
"""Asked before each step; a stop abandons the epoch under way, which the next run repeats."""
