"""Image shards on disk, read batch by batch through memory maps: memory stays flat however many images there are."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from models.errors import DataError


class Batch(NamedTuple):
    """Images with their targets: labels or coefficients."""

    images: UInt8[Tensor, "b c h w"]
    targets: Int64[Tensor, " b"] | Float32[Tensor, "b k"]


class ByteStack:
    """Several `.npy` files of uint8 images (n, c, h, w), seen as one long stack.

    Raises `DataError` when a file is no such array or its images differ in shape from the first file's.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        if not paths:
            raise DataError("no image shards: encode some images first")
        self.paths = tuple(paths)
        self._maps = [_open_shard(path) for path in paths]
        self.image_shape: tuple[int, ...] = self._maps[0].shape[1:]
        for path, shard in zip(paths, self._maps, strict=True):
            if shard.shape[1:] != self.image_shape:
                raise DataError(
                    f"{path}: images of shape {shard.shape[1:]} beside {self.image_shape}: encode them anew"
                )
        self._ends = np.cumsum([len(shard) for shard in self._maps])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def gather(self, rows: Int64[ndarray, " b"], axis: int | None = None) -> UInt8[ndarray, "b c h w"]:
        """Copies of the images at `rows`, in that order; of one channel only when `axis` names it."""
        channels = slice(None) if axis is None else slice(axis, axis + 1)
        count = self.image_shape[0] if axis is None else 1
        images = np.empty((len(rows), count, *self.image_shape[1:]), np.uint8)
        files = np.searchsorted(self._ends, rows, side="right")
        for file in np.unique(files):
            here = np.flatnonzero(files == file)
            shard = self._maps[file]
            for place, row in zip(here, rows[here] - (self._ends[file] - len(shard)), strict=True):
                images[place] = shard[row, channels]
        return images


def _open_shard(path: Path) -> ndarray:
    try:
        shard = cast(ndarray, np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable image shard ({error}): encode it anew") from error
    if shard.dtype != np.uint8 or shard.ndim != 4:
        raise DataError(f"{path}: {shard.dtype} of shape {shard.shape}, need uint8 (n, c, h, w): encode it anew")
    return shard


class ImageShards:
    """Images with the class of each, 0 to `classes` - 1. Raises `DataError` when their numbers differ."""

    def __init__(self, paths: Sequence[Path], labels: Int64[ndarray, " n"]) -> None:
        self.stack = ByteStack(paths)
        self.targets = labels
        _require_same_length(self.stack, labels)
        self.classes = int(labels.max()) + 1
        if labels.min() < 0:
            raise DataError(f"labels start at {labels.min()}: number the classes from 0")


class CoefficientShards:
    """Photos with the coefficients of each (see `CoefficientLayout.pack`). Raises `DataError` on unequal numbers."""

    def __init__(self, paths: Sequence[Path], targets: Float32[ndarray, "n k"]) -> None:
        self.stack = ByteStack(paths)
        self.targets = targets
        _require_same_length(self.stack, targets)


def _require_same_length(stack: ByteStack, targets: ndarray) -> None:
    if len(stack) != len(targets):
        raise DataError(f"{len(stack)} images in {stack.paths[0].parent} but {len(targets)} targets: encode them anew")
