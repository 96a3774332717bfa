"""Which images a step sees: a function of (seed, epoch) alone, so that a resumed run sees what the unbroken one saw."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy import ndarray
from torch.utils.data import DataLoader, Dataset, Sampler

from models.training.shards import Batch, ByteStack


class SeededBatches(Sampler[Int64[ndarray, " b"]]):
    """Row numbers of each batch of an epoch, in random order.

    The remainder that does not fill a batch is left out, others each epoch: batch normalisation cannot train on one
    image. Fewer images than `batch_size` make one batch.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch, also after resuming."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count // self.batch_size

    def __iter__(self) -> Iterator[Int64[ndarray, " b"]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield order[start : start + self.batch_size]


class GatheredBatches(Dataset[Batch]):
    """Whole batches by their row numbers: one gather a batch instead of one Python call an image."""

    def __init__(self, stack: ByteStack, targets: ndarray, axis: int | None) -> None:
        self.stack = stack
        self.targets = targets
        self.axis = axis

    def __getitem__(self, rows: Int64[ndarray, " b"]) -> Batch:
        images = torch.from_numpy(self.stack.gather(rows, self.axis))
        return Batch(images, torch.from_numpy(self.targets[rows]))


def batch_loader(
    stack: ByteStack, targets: Int64[ndarray, " n"] | Float32[ndarray, "n k"], axis: int | None, order: SeededBatches
) -> DataLoader[Batch]:
    """A loader of ready batches in `order`, in this process: a gather from mapped memory is too short to hand out."""
    unused = torch.Generator()  # without one of its own the loader draws from the caller's global random numbers
    return DataLoader(
        GatheredBatches(stack, targets, axis), sampler=order, batch_size=None, num_workers=0, generator=unused
    )


def step_generator(seed: int, epoch: int, step: int, device: torch.device) -> torch.Generator:
    """The random numbers of one training step, the same however often it is repeated."""
    state = int(np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)[0])
    return torch.Generator(device).manual_seed(state >> 1)
