"""From distances to likelihood ratios, and how honest they are: logistic calibration, Cllr and ECE."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit, xlogy

from models.metrics.error_rates import require_both_kinds


class Calibration(NamedTuple):
    """log LR (natural) of a distance d is `offset` - `slope` d; the slope is positive when near means alike."""

    slope: float
    offset: float

    def log_lr(self, distances: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Natural logarithm of how much likelier the distance is for one person than for two."""
        return self.offset - self.slope * distances


def fit_calibration(genuine: Float64[ndarray, " n"], impostor: Float64[ndarray, " m"]) -> Calibration:
    """Logistic regression at equal weight of the two kinds (Bruemmer and du Preez 2006), on a development set.

    With Platt's targets (1999), (n + 1) / (n + 2) instead of 1, so that separated scores keep a finite slope. Raises
    `DataError` when one kind is absent.
    """
    require_both_kinds(genuine, impostor)
    values = np.concatenate([genuine, impostor])
    shift, scale = float(values.mean()), float(values.std()) or 1.0
    scaled = (values - shift) / scale
    targets = np.repeat(
        [(len(genuine) + 1) / (len(genuine) + 2), 1 / (len(impostor) + 2)], [len(genuine), len(impostor)]
    )
    weights = np.repeat([0.5 / len(genuine), 0.5 / len(impostor)], [len(genuine), len(impostor)])

    def loss(parameters: Float64[ndarray, " 2"]) -> tuple[float, Float64[ndarray, " 2"]]:
        log_odds = parameters[1] - parameters[0] * scaled
        value = weights @ (np.logaddexp(0, log_odds) - targets * log_odds)
        slope_of_loss = weights * (expit(log_odds) - targets)
        return float(value), np.array([-(slope_of_loss @ scaled), slope_of_loss.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return Calibration(float(found[0] / scale), float(found[1] + found[0] * shift / scale))


def cllr(genuine_log_lr: Float64[ndarray, " n"], impostor_log_lr: Float64[ndarray, " m"]) -> float:
    """Cost of log-likelihood ratios in bits: 0 is perfect, 1 is knowing nothing. Bruemmer and du Preez 2006."""
    wrong = np.logaddexp(0, -genuine_log_lr).mean() + np.logaddexp(0, impostor_log_lr).mean()
    return float(wrong / (2 * np.log(2)))


def min_cllr(genuine: Float64[ndarray, " n"], impostor: Float64[ndarray, " m"]) -> float:
    """The least Cllr that any monotone calibration of these distances reaches: the part that discrimination leaves.

    By pool-adjacent-violators on the scores themselves. Raises `DataError` when one kind is absent.
    """
    require_both_kinds(genuine, impostor)
    values, place = np.unique(np.concatenate([genuine, impostor]), return_inverse=True)
    shares = [np.bincount(part, minlength=len(values)) for part in np.split(place, [len(genuine)])]
    mass_genuine, mass_impostor = shares[0] / len(genuine), shares[1] / len(impostor)
    mass = mass_genuine + mass_impostor
    posterior = isotonic_regression(mass_genuine / mass, weights=mass, increasing=False).x
    bits = xlogy(mass_genuine, posterior) + xlogy(mass_impostor, 1 - posterior)
    return float(-bits.sum() / (2 * np.log(2)))


def expected_calibration_error(
    genuine_log_lr: Float64[ndarray, " n"], impostor_log_lr: Float64[ndarray, " m"], bins: int = 15
) -> float:
    """Mean gap between posterior and share of genuine pairs in bins of equal width, both kinds weighing the same.

    Naeini et al. 2015, at a prior of one half, since a cross-product holds far more impostors than life does.
    """
    posterior = expit(np.concatenate([genuine_log_lr, impostor_log_lr]))
    kinds = [len(genuine_log_lr), len(impostor_log_lr)]
    truth = np.repeat([1.0, 0.0], kinds)
    weights = np.repeat([0.5 / kinds[0], 0.5 / kinds[1]], kinds)
    which = np.minimum((posterior * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, weights=weights * (truth - posterior), minlength=bins)
    return float(np.abs(gaps).sum())
