"""What a network has to beat: logistic regression and the nearest class mean, on the same vectors."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from models.classifiers.whitening import Whitener, fit_whitener

ITERATIONS = 500


class LinearClassifier(NamedTuple):
    """Logits are linear in the whitened inputs."""

    whitener: Whitener
    weights: Float64[ndarray, "k c"]
    bias: Float64[ndarray, " c"]

    def logits(self, values: Float32[ndarray, "n k"]) -> Float64[ndarray, "n c"]:
        """One row an input."""
        return self.whitener(values) @ self.weights + self.bias


def fit_logistic(
    values: Float32[ndarray, "n k"], answers: Int64[ndarray, " n"], classes: int, c: float = 1.0
) -> LinearClassifier:
    """Multinomial logistic regression: the least of |W|^2 / 2 + c sum(-log p), by L-BFGS.

    `c` 1 is scikit-learn's default; the bias is not penalised.
    """
    whitener = fit_whitener(values, answers)
    inputs = whitener(values)
    wanted = np.eye(classes)[answers]
    size = inputs.shape[1]

    def objective(flat: Float64[ndarray, " p"]) -> tuple[float, Float64[ndarray, " p"]]:
        weights, bias = flat[:-classes].reshape(size, classes), flat[-classes:]
        logits = inputs @ weights + bias
        loss = c * float(-(wanted * log_softmax(logits, axis=1)).sum()) + 0.5 * float((weights**2).sum())
        slope = c * (softmax(logits, axis=1) - wanted)
        gradient = np.concatenate([(inputs.T @ slope + weights).ravel(), slope.sum(axis=0)])
        return loss, gradient

    start = np.zeros((size + 1) * classes)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return LinearClassifier(whitener, found.x[:-classes].reshape(size, classes), found.x[-classes:])


def fit_nearest_mean(values: Float32[ndarray, "n k"], answers: Int64[ndarray, " n"], classes: int) -> LinearClassifier:
    """The class whose mean is nearest in whitened numbers, as a linear rule: Fisher's discriminant, classes equal.

    -|x - m|^2 / 2 and x m - m^2 / 2 differ by the same for all classes, so answers and probabilities are the same.
    """
    whitener = fit_whitener(values, answers)
    inputs = whitener(values)
    means = np.stack([inputs[answers == number].mean(axis=0) for number in range(classes)])
    return LinearClassifier(whitener, means.T, -0.5 * (means**2).sum(axis=1))
