"""Answers of a classifier over one or several folds, and the figures they come to."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy.special import log_softmax, softmax

from models.classifiers.design import Sets
from models.metrics.classification import UNANSWERED, Confusion, confusion, macro_f1
from models.metrics.intervals import Interval, mean_interval
from models.metrics.temperature import Reliability, calibration_error, cross_fitted, reliability


class Answered(NamedTuple):
    """Logits of those validation inputs (`kept`) that could be answered, and all of them: who, and the right answer."""

    logits: Float64[ndarray, "m c"]
    kept: Int64[ndarray, " m"]
    subjects: tuple[str, ...]
    truth: Int64[ndarray, " n"]

    def answers(self) -> Int64[ndarray, " n"]:
        """The most probable class of each input, `UNANSWERED` where there is none."""
        found = np.full(len(self.truth), UNANSWERED, dtype=np.int64)
        found[self.kept] = self.logits.argmax(axis=1)
        return found


class Scores(NamedTuple):
    """Figures over all folds together.

    The interval is over people. `ece` is the calibration error of the probabilities as they come and `ece_calibrated`
    at the temperature that other people ask for; both of what was answered, NaN when nothing was.
    """

    accuracy: Interval
    by_fold: tuple[float, ...]
    macro_f1: float
    ece: float
    ece_calibrated: float
    confusion: Confusion
    reliability: Reliability | None
    inputs: int
    unanswered: int

    def figures(self) -> dict[str, Any]:
        """The numbers as plain data."""
        return {
            "accuracy": self.accuracy.value,
            "low": self.accuracy.low,
            "high": self.accuracy.high,
            "people": self.accuracy.subjects,
            "folds": list(self.by_fold),
            "macro_f1": self.macro_f1,
            "ece": None if np.isnan(self.ece) else self.ece,
            "ece_calibrated": None if np.isnan(self.ece_calibrated) else self.ece_calibrated,
            "inputs": self.inputs,
            "unanswered": self.unanswered,
        }


def score(folds: Sequence[Answered], classes: int, seed: int) -> Scores:
    """Accuracy counts every input; one without an answer is wrong. A person in several folds counts as one person."""
    truth = np.concatenate([fold.truth for fold in folds])
    answers = np.concatenate([fold.answers() for fold in folds])
    subjects = [who for fold in folds for who in fold.subjects]
    hits = (answers == truth).astype(np.float64)
    found = confusion(truth, answers, classes)
    logits = np.concatenate([fold.logits for fold in folds]).astype(np.float64)
    errors = (float("nan"), float("nan"), None)
    if len(logits):
        known = answers != UNANSWERED
        who = [subject for subject, there in zip(subjects, known, strict=True) if there]
        calibrated = cross_fitted(logits, truth[known], who)
        own = reliability(softmax(logits, axis=1), truth[known])
        errors = (own.error(), calibration_error(calibrated, truth[known]), own)
    return Scores(
        mean_interval(hits, subjects, seed),
        tuple(float((fold.answers() == fold.truth).mean()) for fold in folds),
        macro_f1(found),
        *errors[:2],
        found,
        errors[2],
        len(truth),
        int((answers == UNANSWERED).sum()),
    )


def voted(photos: Mapping[str, Float64[ndarray, " c"]], sets: Sets, task: int = 0) -> Answered:
    """Answers to sets of photos out of logits of single ones: the mean of the photos' log-probabilities."""
    kept: list[int] = []
    means: list[ndarray] = []
    for number, names in enumerate(sets.photos):
        seen = [photos[name] for name in names if name in photos]
        if seen:
            kept.append(number)
            means.append(log_softmax(np.stack(seen).astype(np.float64), axis=1).mean(axis=0))
    stacked = np.stack(means) if means else np.zeros((0, 1))
    return Answered(stacked, np.array(kept, dtype=np.int64), sets.subjects, sets.answers[:, task])
