"""What a classifier is trained and judged on: sets of photos, whose they are, and the right answers."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from models.errors import DataError
from models.protocols.splits import Aggregate


class Sets(NamedTuple):
    """Inputs: the photos of each, whose face it is, and the number of the right answer to each task."""

    photos: tuple[tuple[str, ...], ...]
    subjects: tuple[str, ...]
    answers: Int64[ndarray, "n tasks"]


class Design(NamedTuple):
    """One training and its validation. `tasks` names the answers to each task; `protocol` is the hash of the split."""

    tasks: dict[str, tuple[str, ...]]
    training: Sets
    validation: Sets
    protocol: str

    def only(self, task: str) -> "Design":
        """The same inputs with one of the tasks."""
        column = list(self.tasks).index(task)
        sides = [side._replace(answers=side.answers[:, [column]]) for side in (self.training, self.validation)]
        return Design({task: self.tasks[task]}, sides[0], sides[1], self.protocol)

    def digest(self) -> str:
        """SHA-256 of everything in it, the order included: what a training depends on."""
        sides = [[side.photos, side.subjects, side.answers.tolist()] for side in (self.training, self.validation)]
        return hashlib.sha256(json.dumps([self.tasks, sides, self.protocol]).encode()).hexdigest()


def build_design(
    training: Iterable[Aggregate],
    validation: Iterable[Aggregate],
    task: str,
    protocol: str,
    further: Mapping[str, Mapping[str, str]] | None = None,
) -> Design:
    """A design whose first task tells the aggregates' labels; `further` tasks tell the label of each photo.

    Classes are those of both sides, in the order of their names. Raises `DataError` on an empty side, on a task with
    fewer than two classes, a class that nobody trains, or photos of one set with unequal labels.
    """
    sides = (tuple(training), tuple(validation))
    if not all(sides):
        raise DataError(
            f"{task}: {len(sides[0])} inputs to train on and {len(sides[1])} to validate: none may be empty"
        )
    labels = [{task: [each.label for each in side], **_further(side, further or {})} for side in sides]
    tasks = {name: _classes(name, labels[0][name], labels[1][name]) for name in labels[0]}
    numbered = [_answers(tasks, given) for given in labels]
    made = [
        Sets(tuple(each.ids for each in side), tuple(each.subject for each in side), answers)
        for side, answers in zip(sides, numbered, strict=True)
    ]
    return Design(tasks, made[0], made[1], protocol)


def _further(side: Sequence[Aggregate], tasks: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    return {name: [_common(each, labels, name) for each in side] for name, labels in tasks.items()}


def _common(aggregate: Aggregate, labels: Mapping[str, str], task: str) -> str:
    found = {labels.get(photo, "") for photo in aggregate.ids}
    if len(found) != 1 or "" in found:
        raise DataError(f"{aggregate.ids[0]}: {task}: its set has the labels {sorted(found)}; give all photos the same")
    return found.pop()


def _classes(task: str, trained: Sequence[str], validated: Sequence[str]) -> tuple[str, ...]:
    if unseen := set(validated) - set(trained):
        raise DataError(f"{task}: nobody trains {', '.join(sorted(unseen))}, which the validation asks for")
    classes = tuple(sorted(set(trained)))
    if len(classes) < 2:
        raise DataError(f"{task}: the only class is {', '.join(classes)}: at least two are needed")
    return classes


def _answers(tasks: Mapping[str, tuple[str, ...]], labels: Mapping[str, Sequence[str]]) -> Int64[ndarray, "n tasks"]:
    columns = [[tasks[name].index(label) for label in labels[name]] for name in tasks]
    return np.array(columns, dtype=np.int64).T.copy()
