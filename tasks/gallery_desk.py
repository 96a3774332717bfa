"""What every gallery command starts from: the gallery, the champion that looks at it, and what is told in the end."""

from dataclasses import dataclass, field
from typing import NamedTuple

from infra.keys import KeyFolder
from models.types import Failure
from registry.gallery import Gallery
from registry.packaging import find_version
from tasks.embedder import Embedder, open_embedder
from tasks.gallery_templates import Rotations, refresh, version_of
from tasks.thresholds import Threshold, given, stored_threshold
from tasks.wiring import Workspace, open_workspace


class Candidate(NamedTuple):
    """Somebody a probe may be, and how far the nearest of their templates is."""

    name: str
    distance: float


class Told(NamedTuple):
    """What is said of one file. `decision` is a name or None for nobody; without `threshold` nothing is decided."""

    path: str
    kind: str
    threshold: Threshold | None
    decision: str | None
    ranked: list[Candidate]


class Enrolment(NamedTuple):
    """One file that is enrolled; `new` is False where the person had it already."""

    path: str
    kind: str
    name: str
    new: bool


@dataclass
class Outcome:
    """What a command came to; `renewed` samples were embedded anew because another champion serves.

    Of `not_embedded` samples the champion can make nothing; `waiting` photos lack its reconstructor.
    """

    model: str
    version: str
    renewed: int = 0
    enrolled: list[Enrolment] = field(default_factory=list[Enrolment])
    told: list[Told] = field(default_factory=list[Told])
    failures: list[Failure] = field(default_factory=list[Failure])
    not_embedded: int = 0
    waiting: int = 0


class Desk(NamedTuple):
    """The gallery and the champion that looks at it."""

    workspace: Workspace
    gallery: Gallery
    embedder: Embedder
    rotations: Rotations

    def outcome(self) -> Outcome:
        """What a command starts from, every template being of the champion."""
        champion = self.embedder.champion
        renewed = refresh(self.workspace, self.gallery, self.embedder, self.rotations)
        lost = len(self.gallery.failures(version_of(self.embedder)))
        return Outcome(champion.name, champion.version, renewed.embedded, not_embedded=lost, waiting=renewed.waiting)

    def threshold(self, distance: float | None) -> Threshold | None:
        """What was given, else what the champion's training set."""
        if distance is not None:
            return given(distance)
        champion = self.embedder.champion
        found = find_version(self.workspace.tracker, champion.name, champion.version)
        return stored_threshold(self.workspace.tracker, found)


def open_gallery(workspace: Workspace) -> Gallery:
    """The gallery of this home, without what a kill left half done."""
    gallery = Gallery(workspace.engine, KeyFolder(workspace.settings.keys))
    gallery.sweep()
    return gallery


def open_desk(model: str) -> Desk:
    """Gallery and champion; raises `AssetMissing` where no version of `model` serves."""
    workspace = open_workspace()
    return Desk(
        workspace,
        open_gallery(workspace),
        open_embedder(workspace, model),
        Rotations(KeyFolder(workspace.settings.keys)),
    )
