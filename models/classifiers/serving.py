"""A registered classifier at work: coefficients in, probabilities out, and those of another source refused."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float32
from numpy import ndarray

from models.classifiers.source import require_source
from models.classifiers.stored import ClassifierShape
from models.classifiers.table import CoefficientTable, pooled
from models.errors import ConfigurationError

Graph = Callable[[Float32[ndarray, "m k"], str], Float32[ndarray, "m c"]]
"""(vectors, task) -> probabilities; an exported graph."""


class Told(NamedTuple):
    """One input: its photos, and the probability of each answer."""

    photos: tuple[str, ...]
    probabilities: dict[str, float]


def classify_sets(
    graph: Graph, shape: ClassifierShape, table: CoefficientTable, sets: Sequence[tuple[str, ...]], task: str
) -> list[Told]:
    """Answers to those of `sets` of photos of which one gave a face.

    Raises `ConfigurationError` for coefficients of another space, reconstructor or version than it was trained on, and
    for a task it does not know.
    """
    require_source(table.source, shape.source, f"classifier of {', '.join(shape.tasks)}")
    if task not in shape.tasks:
        raise ConfigurationError(f"no answers to {task!r}: this classifier tells {', '.join(shape.tasks)}")
    found = pooled(table, sets, shape.parts, shape.confident)
    if len(found.kept) == 0:
        return []
    told = graph(found.values, task)
    return [
        Told(sets[place], dict(zip(shape.tasks[task], map(float, row), strict=True)))
        for place, row in zip(found.kept, told, strict=True)
    ]
