"""All that verification says of one model on one benchmark, with thresholds from people apart from those measured."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from models.errors import DataError
from models.metrics.calibration import (
    Calibration,
    cllr,
    expected_calibration_error,
    fit_calibration,
    min_cllr,
)
from models.metrics.comparisons import Comparisons
from models.metrics.error_rates import ErrorCurve, area_under_roc, equal_error_rate, error_curve, thinned
from models.metrics.operating_points import OperatingPoint, TooFewComparisons, measure_at, threshold_at_fmr
from models.metrics.resampling import Interval, subject_interval

FMR_TARGETS = (1e-2, 1e-3, 1e-4)
_BINS = 256
_DRAWS = 400


class Point(NamedTuple):
    """One operating point and the interval of its FNMR over people."""

    measured: OperatingPoint
    fnmr: Interval


class Verification(NamedTuple):
    """EER and AUC on everybody; operating points and calibration from `development` people, measured on the others.

    `refused` says, for each FMR without a point, why there is none.
    """

    genuine: int
    impostors: int
    failures: int
    auc: float
    eer: Interval
    development: tuple[str, ...]
    points: tuple[Point, ...]
    refused: tuple[str, ...]
    calibration: Calibration
    cllr: float
    min_cllr: float
    calibration_error: float
    curve: ErrorCurve

    def as_data(self) -> dict[str, Any]:
        """JSON can say it; minus infinity, the threshold that accepts nobody, becomes null."""
        points = [
            {
                **point.measured._asdict(),
                "threshold": point.measured.threshold._asdict(),
                "interval": point.fnmr._asdict(),
            }
            for point in self.points
        ]
        curve = {name: values.tolist() for name, values in self.curve._asdict().items()}
        curve["thresholds"] = [value if np.isfinite(value) else None for value in curve["thresholds"]]
        named = {**self._asdict(), "points": points, "curve": curve, "calibration": self.calibration._asdict()}
        return {
            **named,
            "eer": self.eer._asdict(),
            "development": list(self.development),
            "refused": list(self.refused),
        }


def verify(comparisons: Comparisons, development: Sequence[str], seed: int) -> Verification:
    """Error rates of all comparisons, and of the people who are not in `development` at thresholds set by those.

    Comparisons across the two groups set nothing and measure nothing. Raises `DataError` when a group has no
    comparisons of one kind.
    """
    others = sorted(set(comparisons.subjects) - set(development))
    setting, measured = comparisons.among(development), comparisons.among(others)
    curve = error_curve(comparisons.genuine, comparisons.impostor, len(comparisons.failed))
    points, refused = _points(setting, measured, seed)
    calibration = fit_calibration(setting.genuine, setting.impostor)
    genuine, impostor = calibration.log_lr(measured.genuine), calibration.log_lr(measured.impostor)
    return Verification(
        len(comparisons.genuine),
        len(comparisons.impostor),
        len(comparisons.failed),
        area_under_roc(curve),
        eer_interval(comparisons, seed),
        tuple(development),
        points,
        refused,
        calibration,
        cllr(genuine, impostor),
        min_cllr(measured.genuine, measured.impostor),
        expected_calibration_error(genuine, impostor),
        thinned(curve),
    )


def half_of(subjects: Sequence[str], seed: int) -> tuple[str, ...]:
    """Every other person of a shuffled list: those who set thresholds. Raises `DataError` of fewer than four."""
    people = sorted(set(subjects))
    if len(people) < 4:
        raise DataError(f"{len(people)} people: at least four are needed, two to set a threshold and two to measure it")
    order = np.random.default_rng(seed).permutation(len(people))
    return tuple(sorted(people[place] for place in order[: len(people) // 2]))


def eer_interval(comparisons: Comparisons, seed: int, draws: int = _DRAWS) -> Interval:
    """The EER, and its interval from drawing people: a comparison of two counts as often as both are drawn together.

    The draws are made on scores in up to 512 classes, the value is that of the scores themselves.
    """
    edges = _edges(comparisons)
    genuine, impostor = (np.searchsorted(edges, part) for part in (comparisons.genuine, comparisons.impostor))
    attempts = np.concatenate([comparisons.genuine_owner, comparisons.failed])
    classes = np.concatenate([genuine, np.full(len(comparisons.failed), len(edges))])

    def rates(times: Float64[ndarray, "d s"]) -> Float64[ndarray, " d"]:
        return np.array([_binned_eer(row, comparisons, attempts, classes, impostor, len(edges)) for row in times])

    drawn = subject_interval(rates, len(comparisons.subjects), seed, draws=draws)
    curve = error_curve(comparisons.genuine, comparisons.impostor, len(comparisons.failed))
    return drawn._replace(value=equal_error_rate(curve))


def _edges(comparisons: Comparisons) -> Float64[ndarray, " e"]:
    shares = np.linspace(0, 1, _BINS)
    return np.unique(
        np.concatenate([np.quantile(part, shares) for part in (comparisons.genuine, comparisons.impostor)])
    )


def _binned_eer(
    times: Float64[ndarray, " s"],
    comparisons: Comparisons,
    attempts: Int64[ndarray, " a"],
    classes: Int64[ndarray, " a"],
    impostor: Int64[ndarray, " m"],
    bins: int,
) -> float:
    """EER of scores in classes, each comparison with the product of its people's weights; NaN without one kind."""
    mated = np.bincount(classes, weights=times[attempts], minlength=bins + 1)
    weights = times[comparisons.impostor_probe] * times[comparisons.impostor_reference]
    other = np.bincount(impostor, weights=weights, minlength=bins + 1)
    if mated.sum() == 0 or other.sum() == 0:
        return float("nan")
    fmr, fnmr = np.cumsum(other[:-1]) / other.sum(), 1 - np.cumsum(mated[:-1]) / mated.sum()
    used = (mated[:-1] + other[:-1]) > 0
    ends = [np.concatenate([[start], rates[used]]) for start, rates in ((0.0, fmr), (1.0, fnmr))]
    return equal_error_rate(ErrorCurve(np.arange(len(ends[0]), dtype=np.float64), ends[0], ends[1]))


def _points(setting: Comparisons, measured: Comparisons, seed: int) -> tuple[tuple[Point, ...], tuple[str, ...]]:
    points: list[Point] = []
    refused: list[str] = []
    for fmr in FMR_TARGETS:
        try:
            threshold = threshold_at_fmr(setting.impostor, fmr)
            found = measure_at(threshold, measured.genuine, measured.impostor, len(measured.failed))
        except TooFewComparisons as error:
            refused.append(str(error))
            continue
        points.append(Point(found, _fnmr_interval(measured, threshold.distance, seed)))
    return tuple(points), tuple(refused)


def _fnmr_interval(measured: Comparisons, distance: float, seed: int) -> Interval:
    missed = np.concatenate([measured.genuine > distance, np.ones(len(measured.failed), dtype=bool)])
    owner = np.concatenate([measured.genuine_owner, measured.failed])
    present, place = np.unique(owner, return_inverse=True)
    misses, attempts = np.bincount(place, weights=missed.astype(np.float64)), np.bincount(place).astype(np.float64)
    return subject_interval(lambda times: (times @ misses) / (times @ attempts), len(present), seed)
