"""Batches of several photos of each person."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from models.errors import DataError
from models.training.batching import SeededBatches


class ViewSets(SeededBatches):
    """Row numbers of each batch: `sets` times `views` photos, those of one set being of one person and side by side.

    Each epoch cuts every person's photos anew, as a function of (seed, epoch) alone; what does not fill a set is left
    out. Raises `DataError` when nobody has `views` photos.
    """

    def __init__(self, subjects: Int64[ndarray, " n"], views: int, sets: int, seed: int) -> None:
        _, self._owner, counts = np.unique(subjects, return_inverse=True, return_counts=True)
        self.views = views
        if counts.max() < views:
            raise DataError(f"no person has {views} photos (at most {counts.max()}): ask for fewer views")
        super().__init__(int((counts // views).sum()), sets, seed)

    def __iter__(self) -> Iterator[Int64[ndarray, " b"]]:
        groups = self._cut()
        for batch in super().__iter__():
            yield groups[batch].ravel()

    def _cut(self) -> Int64[ndarray, "sets views"]:
        rng = np.random.default_rng([self.seed, self.epoch, self.views])
        shuffled = rng.permutation(len(self._owner))
        rows = shuffled[np.argsort(self._owner[shuffled], kind="stable")]
        parts = np.split(rows, np.flatnonzero(np.diff(self._owner[rows])) + 1)
        whole = [part[: len(part) // self.views * self.views].reshape(-1, self.views) for part in parts]
        return np.concatenate(whole)
