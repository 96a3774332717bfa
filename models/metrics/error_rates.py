"""Verification error rates over all thresholds: FMR, FNMR, ROC, DET and the equal error rate."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray
from scipy.optimize import isotonic_regression
from scipy.stats import norm

from models.errors import DataError


class ErrorCurve(NamedTuple):
    """Both error rates at every threshold that changes one; a pair is accepted when its distance is at most it.

    The first threshold is minus infinity, which accepts nobody: FMR rises from 0 to 1. FNMR falls from 1 to the share
    of failures to acquire, which no threshold accepts.
    """

    thresholds: Float64[ndarray, " t"]
    fmr: Float64[ndarray, " t"]
    fnmr: Float64[ndarray, " t"]


def error_curve(genuine: Float64[ndarray, " n"], impostor: Float64[ndarray, " m"], failures: int = 0) -> ErrorCurve:
    """FMR and FNMR of distances. `failures` are genuine attempts without a score: misses at every threshold.

    ISO/IEC 19795-1 calls an FNMR with failures to acquire in it a false rejection rate. Raises `DataError` when one
    kind of comparison is absent or a distance is not finite.
    """
    require_both_kinds(genuine, impostor)
    values = np.unique(np.concatenate([genuine, impostor]))
    accepted = np.searchsorted(np.sort(genuine), values, side="right")
    false_matches = np.searchsorted(np.sort(impostor), values, side="right")
    thresholds = np.concatenate([[-np.inf], values])
    fmr = np.concatenate([[0.0], false_matches / len(impostor)])
    fnmr = np.concatenate([[1.0], 1.0 - accepted / (len(genuine) + failures)])
    return ErrorCurve(thresholds, fmr, fnmr)


def require_both_kinds(genuine: Float64[ndarray, " n"], impostor: Float64[ndarray, " m"]) -> None:
    """Raise `DataError` unless there are finite scores of both kinds."""
    if len(genuine) == 0 or len(impostor) == 0:
        raise DataError(f"{len(genuine)} genuine and {len(impostor)} impostor comparisons: both kinds are needed")
    if not (np.isfinite(genuine).all() and np.isfinite(impostor).all()):
        raise DataError("scores that are not finite: count such attempts as failures to acquire")


def area_under_roc(curve: ErrorCurve) -> float:
    """Chance that a genuine pair is nearer than an impostor pair, ties half (1 - FNMR over FMR, trapezoids)."""
    return float(np.trapezoid(1.0 - curve.fnmr, curve.fmr))


def convex_hull(curve: ErrorCurve) -> ErrorCurve:
    """The vertices of the ROC's convex hull: what thresholds, and drawing lots between two of them, can reach.

    By the pool-adjacent-violators algorithm on the slope of the ROC (Fawcett and Niculescu-Mizil 2007).
    """
    across, up = np.diff(curve.fmr), -np.diff(curve.fnmr)
    steps = across + up
    pooled = isotonic_regression(up / steps, weights=steps, increasing=False)
    last_of_block = np.concatenate([[0], np.asarray(pooled.blocks[1:], dtype=np.int64)])
    return ErrorCurve(curve.thresholds[last_of_block], curve.fmr[last_of_block], curve.fnmr[last_of_block])


def equal_error_rate(curve: ErrorCurve) -> float:
    """Where FMR equals FNMR on the convex hull of the ROC, so that ties and steps leave no choice (ROCCH-EER).

    It is never above the crossing of the plain step curve. Bruemmer and de Villiers 2013, section 5.
    """
    hull = convex_hull(curve)
    after = int(np.argmax(hull.fmr >= hull.fnmr))
    before = max(after - 1, 0)
    gap_before, gap_after = (float(hull.fnmr[place] - hull.fmr[place]) for place in (before, after))
    share = 0.0 if gap_before == gap_after else gap_before / (gap_before - gap_after)
    return float(hull.fmr[before] + share * (hull.fmr[after] - hull.fmr[before]))


def det_axes(curve: ErrorCurve) -> tuple[Float64[ndarray, " t"], Float64[ndarray, " t"]]:
    """FMR and FNMR as normal deviates, in which normal scores give a straight line. Martin et al. 1997."""
    return norm.ppf(curve.fmr), norm.ppf(curve.fnmr)


def thinned(curve: ErrorCurve, points: int = 300) -> ErrorCurve:
    """At most about twice `points` of the curve's own points, dense where either rate is small: for a drawing."""
    if len(curve.fmr) <= 2 * points:
        return curve
    smallest = max(1e-7, float(curve.fmr[curve.fmr > 0].min()))
    wanted_fmr = np.geomspace(smallest, 1.0, points)
    by_fmr = np.searchsorted(curve.fmr, wanted_fmr)
    by_fnmr = np.searchsorted(-curve.fnmr, -np.linspace(curve.fnmr[0], curve.fnmr[-1], points))
    chosen = np.unique(np.concatenate([[0], by_fmr, by_fnmr, [len(curve.fmr) - 1]]))
    chosen = chosen[chosen < len(curve.fmr)]
    return ErrorCurve(curve.thresholds[chosen], curve.fmr[chosen], curve.fnmr[chosen])
