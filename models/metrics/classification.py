"""Figures of a classifier: accuracy, confusion, macro-F1, and how evenly its classes are filled."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from models.errors import DataError

UNANSWERED = -1
"""The prediction for an input of which no photo gave a face: a failure to acquire, never a right answer."""


class Confusion(NamedTuple):
    """Counts by true class (rows) and answer (columns), and how many inputs of each class had no answer."""

    counts: Int64[ndarray, "c c"]
    unanswered: Int64[ndarray, " c"]

    def shares(self) -> Float64[ndarray, "c c"]:
        """Each row over all inputs of its class, those without an answer included; a class without inputs has zeros."""
        total = self.counts.sum(axis=1) + self.unanswered
        return self.counts / np.maximum(total, 1)[:, None]


class Balance(NamedTuple):
    """Inputs of each class, the share (0-1) of the largest, and how many times the smallest it is."""

    counts: tuple[int, ...]
    largest_share: float
    ratio: float


def confusion(truth: Int64[ndarray, " n"], answers: Int64[ndarray, " n"], classes: int) -> Confusion:
    """How often each of `classes` is taken for each; raises `DataError` on unequal lengths and unknown classes."""
    if len(truth) != len(answers) or len(truth) == 0:
        raise DataError(f"{len(answers)} answers to {len(truth)} inputs: give one an input, at least one")
    if truth.min() < 0 or max(truth.max(), answers.max()) >= classes or answers.min() < UNANSWERED:
        raise DataError(f"labels {truth.min()} to {max(truth.max(), answers.max())}: there are {classes} classes")
    answered = answers != UNANSWERED
    counts = np.bincount(truth[answered] * classes + answers[answered], minlength=classes * classes)
    return Confusion(
        counts.reshape(classes, classes).astype(np.int64),
        np.bincount(truth[~answered], minlength=classes).astype(np.int64),
    )


def macro_f1(found: Confusion) -> float:
    """Mean over classes of 2 TP / (2 TP + FP + FN), each class alike; no answer counts as a miss.

    A class that neither occurs nor is answered does not enter the mean.
    """
    hits = np.diag(found.counts).astype(np.float64)
    true = found.counts.sum(axis=1) + found.unanswered
    answered = found.counts.sum(axis=0)
    present = (true + answered) > 0
    return float((2 * hits[present] / (true + answered)[present]).mean())


def balance(truth: Int64[ndarray, " n"], classes: int) -> Balance:
    """How many inputs each class has; the ratio is infinite when one has none."""
    counts = np.bincount(truth, minlength=classes)
    ratio = float(counts.max() / counts.min()) if counts.min() else float("inf")
    return Balance(tuple(int(count) for count in counts), float(counts.max() / max(counts.sum(), 1)), ratio)
