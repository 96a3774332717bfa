"""Splits into training and validation as data, and the aggregates of several photos of one person (paper B)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations, groupby
from typing import NamedTuple, TypeVar

from models.metrics.protocol import Exclusion, hash_lists, require_listed_once

Item = TypeVar("Item")


class Example(NamedTuple):
    """One photo of a split: its path within the data set, whose face it is, and what is to be told of it."""

    id: str
    subject: str
    label: str


class Aggregate(NamedTuple):
    """Several photos of one person whose coefficients become one input; `part` is "training" or "validation"."""

    part: str
    subject: str
    label: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """Who trains and who validates a classifier, and what is left out.

    Raises `DataError` when one id appears twice, on both sides, or is both used and excluded.
    """

    name: str
    training: tuple[Example, ...]
    validation: tuple[Example, ...]
    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        require_listed_once((row.id for row in (*self.training, *self.validation, *self.exclusions)), self.name)

    def hash(self) -> str:
        """SHA-256 of who is where; the order of the lists and the split's name do not enter it."""
        return hash_lists({"training": self.training, "validation": self.validation, "exclusions": self.exclusions})

    def subjects_on_both_sides(self) -> tuple[str, ...]:
        """People who both train and validate: accuracy on them says nothing of new people."""
        return tuple(sorted({row.subject for row in self.training} & {row.subject for row in self.validation}))


def aggregates(split: Split, size: int = 3) -> Iterator[Aggregate]:
    """Every choice of `size` photos of one person and label from one side, none crossing sides (paper B, 4.1).

    Twenty photos give 1,140 triples, fifteen 455.
    """
    for part, rows in (("training", split.training), ("validation", split.validation)):
        ordered = sorted(rows, key=lambda row: (row.subject, row.label, row.id))
        for (subject, label), group in groupby(ordered, lambda row: (row.subject, row.label)):
            for chosen in combinations([row.id for row in group], size):
                yield Aggregate(part, subject, label, chosen)


def drawn(items: Iterable[tuple[str, Item]], seed: int) -> list[Item]:
    """Items in an order drawn by `seed` and their names alone: the same on every machine and for ever."""
    return [item for _, item in sorted(items, key=lambda named: sha256(f"{seed}/{named[0]}".encode()).digest())]


def turned(items: Sequence[Item], fold: int, folds: int) -> list[Item]:
    """The items in a circle, begun `fold / folds` of the way round: the form of an order for each fold."""
    start = len(items) * fold // folds
    return [*items[start:], *items[:start]]
