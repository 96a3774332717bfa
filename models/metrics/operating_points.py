"""FNMR at a chosen FMR: the threshold comes from a development set, the error rates from other people."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.errors import DataError
from models.metrics.error_rates import require_both_kinds

RULE_OF = 30
"""Errors that must be expected before a rate is told: then it is within 30 % with 90 % confidence. Doddington 2000."""


class TooFewComparisons(DataError):
    """An operating point so strict that the comparisons at hand cannot show its error rate."""


class Threshold(NamedTuple):
    """Accept distances up to `distance`; set where a share of at most `fmr` of the impostors is accepted."""

    fmr: float
    distance: float
    impostors: int


class OperatingPoint(NamedTuple):
    """What a threshold came to on people who did not set it.

    `fnmr` counts `failures` to acquire among the misses; `false_matches` of `impostors` passed.
    """

    threshold: Threshold
    fnmr: float
    fmr: float
    false_matches: int
    genuine: int
    failures: int
    impostors: int


def require_rule_of_30(comparisons: int, rate: float) -> None:
    """Raise `TooFewComparisons` unless 30 errors are expected of that many independent comparisons at `rate`.

    Comparisons of a cross-product share people, so the rule is the least that is asked, not enough by itself.
    """
    if not 0 < rate < 1:
        raise DataError(f"an error rate of {rate:g}: choose one between 0 and 1")
    if comparisons * rate < RULE_OF * (1 - 1e-9):
        needed = math.ceil(RULE_OF / rate - 1e-6)
        raise TooFewComparisons(
            f"FMR {rate:g} needs {needed} impostor comparisons (rule of {RULE_OF}), there are {comparisons}: "
            "choose a larger FMR or more people"
        )


def threshold_at_fmr(impostor: Float64[ndarray, " m"], fmr: float) -> Threshold:
    """The largest impostor distance at which no more than a share of `fmr` is accepted, ties counted in.

    Raises `TooFewComparisons` by the rule of 30, `DataError` when more than `fmr` of the impostors tie at the smallest
    distance.
    """
    require_rule_of_30(len(impostor), fmr)
    ordered = np.sort(impostor)
    allowed = math.floor(fmr * len(ordered) * (1 + 1e-12))
    first_too_many = ordered[min(allowed, len(ordered) - 1)]
    below = int(np.searchsorted(ordered, first_too_many, side="left"))
    if below == 0:
        raise DataError(f"no threshold has FMR {fmr:g}: more impostors than that tie at distance {first_too_many:g}")
    return Threshold(fmr, float(ordered[below - 1]), len(ordered))


def measure_at(
    threshold: Threshold, genuine: Float64[ndarray, " n"], impostor: Float64[ndarray, " m"], failures: int = 0
) -> OperatingPoint:
    """Both error rates of a threshold.

    Raises `TooFewComparisons` where these impostors could not show the threshold's FMR, `DataError` when one kind of
    comparison is absent.
    """
    require_both_kinds(genuine, impostor)
    require_rule_of_30(len(impostor), threshold.fmr)
    misses = int(np.count_nonzero(genuine > threshold.distance)) + failures
    matches = int(np.count_nonzero(impostor <= threshold.distance))
    return OperatingPoint(
        threshold,
        misses / (len(genuine) + failures),
        matches / len(impostor),
        matches,
        len(genuine),
        failures,
        len(impostor),
    )
