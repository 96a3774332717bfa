"""Two models on the same probes: is the difference in rank-1 more than chance?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray
from scipy.stats import binomtest, chi2

from models.errors import DataError
from models.metrics.intervals import paired_interval, sums_by_subject
from models.metrics.resampling import Interval


class Paired(NamedTuple):
    """`difference` is rank-1 of the first less that of the second, its interval over subjects.

    `only_first`, `only_second`: probes that one alone identified. `exact_p`: McNemar's test, which takes probes as
    independent and so is too sure where subjects have several; `clustered_p`: Obuchowski's, which does not.
    """

    difference: Interval
    only_first: int
    only_second: int
    exact_p: float
    clustered_p: float


def compare_models(
    first: Bool[ndarray, " p"], second: Bool[ndarray, " p"], subjects: Sequence[str], seed: int, level: float = 0.95
) -> Paired:
    """Hits of two models, probe by probe in one order; a failure to acquire is a False of both.

    Raises `DataError` on no or unequal input. Whether the protocols are one is for the caller to see.
    """
    if not len(first) == len(second) == len(subjects):
        raise DataError(f"{len(first)} and {len(second)} hits of {len(subjects)} probes: score both on the same probes")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return Paired(
        paired_interval(first, second, subjects, seed, level),
        only_first,
        only_second,
        exact_mcnemar(only_first, only_second),
        clustered_mcnemar(first, second, subjects),
    )


def exact_mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided chance of a split at least as uneven if either model were as likely to win. McNemar 1947, exact."""
    discordant = only_first + only_second
    return 1.0 if discordant == 0 else float(binomtest(only_first, discordant, 0.5).pvalue)


def clustered_mcnemar(first: Bool[ndarray, " p"], second: Bool[ndarray, " p"], subjects: Sequence[str]) -> float:
    """The chi-square test of equal rates with whole subjects as units. Obuchowski 1998, for few or many probes each.

    An approximation for many subjects; with one probe a subject it is McNemar's without continuity correction.
    """
    sums, _ = sums_by_subject(first.astype(np.float64) - second.astype(np.float64), subjects)
    spread = float((sums**2).sum())
    return 1.0 if spread == 0 else float(chi2.sf(sums.sum() ** 2 / spread, df=1))
