"""Templates of the gallery: embeddings behind a secret rotation, always of the model that serves."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from infra.keys import KeyFolder
from infra.sealing import derive, keystream
from models.metrics.benchmark import Features
from models.metrics.identification import fused_distances
from models.metrics.protection import bytes_needed, rotated, rotation_from, turned_back
from models.types import AXES, Failure
from registry.gallery import Gallery, Made, Sample, Version
from registry.ledger import champion
from registry.packaging import find_version
from tasks.embedder import Embedder, Vectors
from tasks.face_samples import unpack
from tasks.wiring import Workspace

BATCH = 32
NOT_KEPT = "its sample was not kept, and this model has never seen it: enrol the person anew"


class Enrolled(NamedTuple):
    """All templates of the version that serves, opened, still rotated, by issue; owner and kind of each in order."""

    features: dict[int, Features]
    owners: Int64[ndarray, " g"]
    kinds: list[str]


class Refreshed(NamedTuple):
    """Samples that were embedded anew, and photos that wait for a reconstructor that is not here."""

    embedded: int
    waiting: int


class Rotations:
    """The secret rotation of every issue, out of the home's key."""

    def __init__(self, keys: KeyFolder) -> None:
        self._secret = derive(keys.home(), "template rotations")

    def protect(self, issue: int, vectors: Vectors) -> bytes:
        """What is kept of embeddings under an issue."""
        turned = [rotated(each[None], self._of(issue, axis, each.size))[0] for axis, each in enumerate(vectors)]
        return np.stack(turned).astype("<f4").tobytes()

    def convert(self, old: int, new: int, content: bytes) -> bytes:
        """A template of one issue as one of another."""
        kept = as_vectors(content)
        plain = [turned_back(each[None], self._of(old, axis, each.size))[0] for axis, each in enumerate(kept)]
        return self.protect(new, np.stack(plain))

    def _of(self, issue: int, axis: int, length: int) -> Float64[ndarray, "d d"]:
        return _rotation(self._secret, f"issue {issue} axis {AXES[axis]} length {length}", length)


def as_vectors(content: bytes) -> Vectors:
    """A template's bytes as numbers."""
    return np.frombuffer(content, dtype="<f4").reshape(len(AXES), -1).astype(np.float32)


def version_of(embedder: Embedder) -> Version:
    """What the templates of the champion are filed under."""
    return Version(embedder.champion.name, embedder.champion.sha256)


def refresh(workspace: Workspace, gallery: Gallery, embedder: Embedder, rotations: Rotations) -> Refreshed:
    """Embed whatever the version has not seen yet.

    Templates of what serves and of what served before stay, so that going back is no work; all older ones go.
    """
    version, photos_too = version_of(embedder), embedder.takes_photos
    waiting = 0

    def usable() -> Iterator[Sample]:
        nonlocal waiting
        for sample in gallery.pending(version):
            if photos_too or sample.row.kind != "photo" or sample.content is None:
                yield sample
            else:
                waiting += 1

    pending, done = usable(), 0
    while batch := list(islice(pending, BATCH)):
        gallery.put(version, _embedded(embedder, rotations, batch))
        done += len(batch)
    if done:
        gallery.keep_versions(version.model, _serving(workspace, version))
    return Refreshed(done, waiting)


def make_templates(
    gallery: Gallery, embedder: Embedder, rotations: Rotations, made: Iterable[tuple[Sample, Vectors]]
) -> None:
    """Keep embeddings that were made while enrolling."""
    protected = (Made(sample, rotations.protect(sample.issue, vectors)) for sample, vectors in made)
    gallery.put(version_of(embedder), protected)


def load_enrolled(gallery: Gallery, embedder: Embedder) -> Enrolled:
    """Everybody as the champion sees them."""
    found = sorted(gallery.templates(version_of(embedder)), key=attrgetter("issue"))
    features: dict[int, Features] = {}
    for issue, some in groupby(found, key=attrgetter("issue")):
        x, y, z = np.stack([as_vectors(each.content) for each in some], axis=1)
        features[issue] = (x, y, z)
    owners = np.array([each.person for each in found], dtype=np.int64)
    return Enrolled(features, owners, [each.kind for each in found])


def distances_to(enrolled: Enrolled, rotations: Rotations, probes: Sequence[Vectors]) -> Float32[ndarray, "g p"]:
    """Every template to every probe, turned as the template's issue is: the mean of three distances (equation 15)."""
    parts: list[Float32[ndarray, "n p"]] = []
    for issue, gallery in enrolled.features.items():
        x, y, z = np.stack([as_vectors(rotations.protect(issue, probe)) for probe in probes], axis=1)
        parts.append(fused_distances(gallery, (x, y, z)))
    return np.concatenate(parts)


@lru_cache(maxsize=64)
def _rotation(secret: bytes, purpose: str, length: int) -> Float64[ndarray, "d d"]:
    return rotation_from(keystream(derive(secret, purpose), bytes_needed(length)), length)


def _embedded(embedder: Embedder, rotations: Rotations, batch: Sequence[Sample]) -> list[Made]:
    kept = [sample for sample in batch if sample.content is not None]
    answers = iter(embedder.embed([unpack(sample.content) for sample in kept if sample.content is not None]))
    made: list[Made] = []
    for sample in batch:
        answer = Failure("", NOT_KEPT) if sample.content is None else next(answers)
        if isinstance(answer, Failure):
            made.append(Made(sample, None, answer.reason))
        else:
            made.append(Made(sample, rotations.protect(sample.issue, answer)))
    return made


def _serving(workspace: Workspace, version: Version) -> list[str]:
    """The hashes of this version, of the champion and of the one before it."""
    state = champion(workspace.engine, version.model)
    others = [number for number in (state.version, state.previous) if number is not None]
    return [version.sha256, *(find_version(workspace.tracker, version.model, number).sha256 for number in others)]
