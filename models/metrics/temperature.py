"""Whether a classifier's probabilities are what they say, and one number that mends them (Guo et al., ICML 2017)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from models.errors import DataError

BINS = 15
LOWEST_T, HIGHEST_T = 0.02, 50.0


class Reliability(NamedTuple):
    """Inputs in bins of equal width by the probability of their answer: its mean, how often it is right, how many."""

    confidence: Float64[ndarray, " bins"]
    accuracy: Float64[ndarray, " bins"]
    inputs: Int64[ndarray, " bins"]

    def error(self) -> float:
        """Expected calibration error: the mean gap of confidence and accuracy, weighted by the bins' inputs. Eq. 3."""
        return float((self.inputs * np.abs(self.confidence - self.accuracy)).sum() / self.inputs.sum())


def reliability(probabilities: Float64[ndarray, "n c"], truth: Int64[ndarray, " n"], bins: int = BINS) -> Reliability:
    """Bins over (0, 1], closed above; empty ones hold zeros. Raises `DataError` on unequal lengths or no input."""
    _require_equal(probabilities, truth)
    certainty = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.clip(np.ceil(certainty * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = np.maximum(count, 1)
    return Reliability(
        np.bincount(place, weights=certainty, minlength=bins) / filled,
        np.bincount(place, weights=right.astype(np.float64), minlength=bins) / filled,
        count.astype(np.int64),
    )


def calibration_error(probabilities: Float64[ndarray, "n c"], truth: Int64[ndarray, " n"], bins: int = BINS) -> float:
    """See `Reliability.error`."""
    return reliability(probabilities, truth, bins).error()


def negative_log_likelihood(logits: Float64[ndarray, "n c"], truth: Int64[ndarray, " n"]) -> float:
    """Mean of -log p(true class), nats. Raises `DataError` on unequal lengths or no input."""
    _require_equal(logits, truth)
    return float(-log_softmax(logits, axis=1)[np.arange(len(truth)), truth].mean())


def fit_temperature(logits: Float64[ndarray, "n c"], truth: Int64[ndarray, " n"]) -> float:
    """T > 0 such that softmax(logits / T) has the least negative log-likelihood; answers stay as they are.

    Sought between .02 and 50: where every answer is right there is no least, and the lower end is given.
    """
    _require_equal(logits, truth)

    def misfit(log_t: float) -> float:
        return negative_log_likelihood(logits / np.exp(log_t), truth)

    found = minimize_scalar(
        misfit,
        bounds=(np.log(LOWEST_T), np.log(HIGHEST_T)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))


def cross_fitted(
    logits: Float64[ndarray, "n c"], truth: Int64[ndarray, " n"], subjects: Sequence[str]
) -> Float64[ndarray, "n c"]:
    """Probabilities of each half of the people at the temperature that suits the other half best.

    So a calibration is judged on people it was not fitted to. People are halved by every second name; with one person
    alone the probabilities are those at temperature 1.
    """
    _, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    first = owner % 2 == 0
    calibrated = softmax(logits, axis=1)
    for here, there in ((first, ~first), (~first, first)):
        if here.any() and there.any():
            calibrated[here] = softmax(logits[here] / fit_temperature(logits[there], truth[there]), axis=1)
    return calibrated


def _require_equal(scores: ndarray, truth: ndarray) -> None:
    if len(scores) != len(truth) or len(truth) == 0:
        raise DataError(f"{len(scores)} scores for {len(truth)} labels: give one an input, at least one")
