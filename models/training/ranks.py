"""Several processes train one network: each takes its part of every batch, and what counts is counted over all.

Batches, their order and every random draw are those of one process; a step of n processes is the step of one, up to
the order of additions. They are started by `torch.distributed.run`; anywhere else there is one part, the whole.
"""

import os
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from models.errors import ConfigurationError

STARTED = "TORCHELASTIC_RUN_ID"
"""A variable that `torch.distributed.run` sets and nothing else does."""


@dataclass(frozen=True)
class Part:
    """Process `rank` of `count`, of which `here` are on this machine."""

    rank: int = 0
    count: int = 1
    here: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes, logs and tells for all."""
        return self.rank == 0

    def of(self, batch: Tensor) -> Tensor:
        """Every `count`-th row of a batch, from `rank` on."""
        return batch if self.count == 1 else batch[self.rank :: self.count]

    def weight(self, mine: int, whole: int) -> float:
        """What a mean over `mine` rows is multiplied by, so that the mean over all processes is that over the batch."""
        return mine * self.count / whole


def my_part() -> Part:
    """The part of this process."""
    if STARTED not in os.environ:
        return Part()
    return Part(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"]))


def require_parts(batch_size: int, part: Part) -> None:
    """Raise `ConfigurationError` when a batch has fewer images than there are processes."""
    if batch_size < part.count:
        raise ConfigurationError(
            f"batches of {batch_size} images for {part.count} processes: set TRINORMAL_TRAINING_PROCESSES lower"
        )


def sum_over_all(values: Tensor) -> Tensor:
    """The sum over all processes, in each of them; the values themselves where there is one."""
    if not dist.is_initialized():
        return values
    summed = values.clone()
    dist.all_reduce(summed)
    return summed


class SumOverAll(torch.autograd.Function):
    """`sum_over_all` with gradients: what all processes want of the sum, each wants of its share."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004 - torch's signature
        """The sum."""
        return sum_over_all(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        """The sum of the gradients."""
        return sum_over_all(gradients[0])
