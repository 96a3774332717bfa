"""Batches in which photos of one person stand together."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from models.training.batching import SeededBatches


class PairedBatches(SeededBatches):
    """As `SeededBatches`, but the photos of each person, in random order, go two by two; an odd one goes alone.

    Pairs are shuffled over all people, so that a batch shows about half as many people as photos.
    """

    def __init__(self, subjects: Int64[ndarray, " n"], batch_size: int, seed: int) -> None:
        super().__init__(len(subjects), batch_size, seed)
        self.subjects = subjects

    def __iter__(self) -> Iterator[Int64[ndarray, " b"]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        shuffled = rng.permutation(self.count)
        by_person = shuffled[np.argsort(self.subjects[shuffled], kind="stable")]
        person = self.subjects[by_person]
        starts = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
        place = np.arange(self.count) - np.repeat(starts, np.diff(np.r_[starts, self.count]))
        pair = np.cumsum(place % 2 == 0) - 1
        rank = rng.permutation(pair[-1] + 1)[pair]
        order = by_person[np.argsort(rank, kind="stable")]
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield order[start : start + self.batch_size]
