"""Classifier two-sample test: if a classifier tells new people from old ones, they are not of one distribution."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy.stats import mannwhitneyu

from models.errors import DataError
from models.metrics.people import person_means


class Separation(NamedTuple):
    """`auc` is how often a held-out person of the second side looks more like the second side than one of the first:
    0.5 where nothing tells them apart. `p` is how often chance gives as much.
    """

    auc: float
    p: float
    held_out: int


def classifier_test(
    first: Float64[ndarray, "n d"],
    first_subjects: Sequence[str | None],
    second: Float64[ndarray, "m d"],
    second_subjects: Sequence[str | None],
    seed: int,
    shrinkage: float = 0.2,
) -> Separation:
    """Lopez-Paz and Oquab 2017, with a linear discriminant (Kim et al. 2021) on the mean vector of each person.

    Half of the people of each side train it, the rank-sum test is over the others; which half is drawn by `seed`.
    Needs four people on each side: raises `DataError` otherwise, and on unequal or infinite input.
    """
    rng = np.random.default_rng(seed)
    known, held = zip(
        *(_halves(person_means(*side), rng) for side in ((first, first_subjects), (second, second_subjects))),
        strict=True,
    )
    direction = discriminant(known[0], known[1], shrinkage)
    scores = [people @ direction for people in held]
    found = mannwhitneyu(scores[1], scores[0], alternative="greater")
    auc = float(found.statistic) / (len(scores[0]) * len(scores[1]))
    return Separation(auc, float(found.pvalue), len(scores[0]) + len(scores[1]))


def discriminant(
    first: Float64[ndarray, "n d"], second: Float64[ndarray, "m d"], shrinkage: float
) -> Float64[ndarray, " d"]:
    """Fisher's direction from the first to the second mean, the scatter within both shrunk towards a sphere."""
    centres = first.mean(axis=0), second.mean(axis=0)
    spread = np.concatenate([first - centres[0], second - centres[1]])
    scatter = spread.T @ spread / len(spread)
    level = float(np.trace(scatter)) / len(scatter)
    shrunk = (1 - shrinkage) * scatter + (shrinkage * level + 1e-12) * np.eye(len(scatter))
    return np.linalg.solve(shrunk, centres[1] - centres[0])


def _halves(
    people: Float64[ndarray, "c d"], rng: np.random.Generator
) -> tuple[Float64[ndarray, "a d"], Float64[ndarray, "b d"]]:
    if len(people) < 4:
        raise DataError(f"{len(people)} people on one side: a classifier needs four on each")
    order: Int64[ndarray, " c"] = rng.permutation(len(people))
    middle = len(people) // 2
    return people[order[:middle]], people[order[middle:]]
