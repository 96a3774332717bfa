"""Enrol people, find out who somebody is, check who somebody says to be, and forget."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from infra.keys import KeyFolder
from models.errors import DataError
from models.metrics.ranking import Ranked, rank_people
from registry.gallery import Person
from tasks.acquire import Acquired, Input, acquire
from tasks.face_samples import pack
from tasks.gallery_desk import Candidate, Desk, Enrolment, Outcome, Told, open_desk, open_gallery
from tasks.gallery_templates import Enrolled, Rotations, distances_to, load_enrolled, make_templates
from tasks.thresholds import Threshold
from tasks.wiring import open_workspace


def enrol(inputs: Sequence[Input], model: str, *, keep: bool = True) -> Outcome:
    """Add each file's face to the person it is of. With `keep` the face itself is kept, sealed, for later champions.

    Files that give no face are failures to acquire: told, and nobody is enrolled by them.
    """
    desk = open_desk(model)
    outcome = desk.outcome()
    for each in acquire(desk.workspace, desk.embedder, inputs):
        if not isinstance(each, Acquired):
            outcome.failures.append(each[1])
            continue
        name = str(each.source.name)
        sample, new = desk.gallery.add(name, each.source.kind, pack(each.sample), keep=keep)
        make_templates(desk.gallery, desk.embedder, desk.rotations, [(sample, each.vectors)])
        outcome.enrolled.append(Enrolment(str(each.source.path), each.source.kind, name, new))
    return outcome


def identify(inputs: Sequence[Input], model: str, most: int = 5, distance: float | None = None) -> Outcome:
    """Who each file shows: the `most` likely people by distance, and nobody where the nearest is beyond the threshold.

    Raises `DataError` where nobody is enrolled.
    """
    desk = open_desk(model)
    outcome, enrolled = _before_search(desk)
    threshold = desk.threshold(distance)
    names = {person.number: person.name for person in desk.gallery.people()}
    for found, distances in _searched(desk, enrolled, inputs, outcome):
        ranked = rank_people(distances, enrolled.owners, most)
        fitting = _fitting(threshold, found.source.kind, enrolled.kinds[ranked[0].row])
        outcome.told.append(_answer(found.source, fitting, ranked, names))
    return outcome


def verify(source: Input, name: str, model: str, distance: float | None = None) -> Outcome:
    """Whether a file shows the person of that name: `decision` is the name, or None where it does not.

    Raises `RegistryError` where nobody of that name is enrolled, `DataError` where no template of theirs is usable.
    """
    desk = open_desk(model)
    person = desk.gallery.require(name)
    outcome, enrolled = _before_search(desk)
    if person.number not in enrolled.owners:
        raise DataError(f"{name!r}: {model} could embed none of the enrolled samples: enrol the person anew")
    threshold = desk.threshold(distance)
    own = np.flatnonzero(enrolled.owners == person.number)
    for found, distances in _searched(desk, enrolled, [source], outcome):
        (nearest,) = rank_people(distances[own], enrolled.owners[own], 1)
        fitting = _fitting(threshold, found.source.kind, enrolled.kinds[own[nearest.row]])
        outcome.told.append(_answer(found.source, fitting, [nearest], {person.number: person.name}))
    return outcome


def forget(name: str) -> bool:
    """Destroy a person's key and all that is kept of them; whether there was anybody."""
    return open_gallery(open_workspace()).forget(name)


def reissue(name: str) -> Person:
    """New key and new templates for somebody; see `Gallery.reissue`."""
    workspace = open_workspace()
    rotations = Rotations(KeyFolder(workspace.settings.keys))
    return open_gallery(workspace).reissue(name, rotations.convert)


def enrolled_people() -> list[Person]:
    """Everybody who is enrolled."""
    return open_gallery(open_workspace()).people()


def _before_search(desk: Desk) -> tuple[Outcome, Enrolled]:
    outcome = desk.outcome()
    enrolled = load_enrolled(desk.gallery, desk.embedder)
    if not len(enrolled.owners):
        raise DataError("nobody is enrolled: `trinormal enrol SCAN --as NAME` adds somebody")
    return outcome, enrolled


class _Probe(NamedTuple):
    """An acquired input and its distances to all templates."""

    found: Acquired
    distances: Float32[ndarray, " g"]


def _searched(desk: Desk, enrolled: Enrolled, inputs: Sequence[Input], outcome: Outcome) -> Iterator[_Probe]:
    """Each acquired input with its distances to all templates; the others become failures of the outcome."""
    for each in acquire(desk.workspace, desk.embedder, inputs):
        if isinstance(each, Acquired):
            yield _Probe(each, distances_to(enrolled, desk.rotations, [each.vectors])[:, 0])
        else:
            outcome.failures.append(each[1])


def _fitting(threshold: Threshold | None, probe: str, template: str) -> Threshold | None:
    """A stored threshold holds between scans only; one that was given holds for all."""
    if threshold is None or threshold.fmr is None:
        return threshold
    return threshold if probe == template == "scan" else None


def _answer(source: Input, threshold: Threshold | None, ranked: Sequence[Ranked], names: dict[int, str]) -> Told:
    candidates = [Candidate(names[each.person], each.distance) for each in ranked]
    accepted = threshold is not None and candidates[0].distance <= threshold.distance
    return Told(str(source.path), source.kind, threshold, candidates[0].name if accepted else None, candidates)
