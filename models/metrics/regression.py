"""Has a model become worse? Differences on several benchmarks, judged together."""

from collections.abc import Mapping
from typing import NamedTuple

from models.errors import DataError
from models.metrics.multiplicity import holm


class Difference(NamedTuple):
    """Rank-1 of a model less that of its reference, and the two-sided chance of as much between equal models."""

    value: float
    p: float


class Drop(NamedTuple):
    """`p` is the one-sided chance, `adjusted_p` the same over all benchmarks together (Holm)."""

    difference: float
    p: float
    adjusted_p: float
    worse: bool


def judge_drops(differences: Mapping[str, Difference], level: float, smallest: float) -> dict[str, Drop]:
    """A model is worse where it lost `smallest` (a share) or more and chance is unlikely, at `level`, to do that.

    With `level` 0.01 one comparison of equal models in a hundred is called worse anywhere, however many benchmarks
    there are. Raises `DataError` on a level that is no probability or a negative drop.
    """
    if not 0 < level < 1 or not 0 <= smallest <= 1:
        raise DataError(f"level {level}, smallest drop {smallest}: a probability and a share from 0 to 1")
    single = {name: each.p / 2 if each.value < 0 else 1 - each.p / 2 for name, each in differences.items()}
    adjusted = holm(single)
    return {
        name: Drop(
            each.value,
            single[name],
            adjusted[name],
            each.value <= -smallest and each.value < 0 and adjusted[name] <= level,
        )
        for name, each in differences.items()
    }
