"""How a version sees a collection: coefficients and embeddings of some people, as vectors to compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from infra.profiles import NormalsConfig
from infra.store import Artefact
from models.metrics.protocol import Protocol
from models.readers.records import ScanRecord
from registry.catalogue import load_rows
from registry.manifest import Snapshot
from tasks.align import align_rows
from tasks.assess import VARIANT, embed_by_version
from tasks.champion import Champion
from tasks.embed import Embeddings
from tasks.faces import Faces, coefficients_of, pool_people
from tasks.manifest_rows import record_of
from tasks.normals import encode_photos, encode_scans
from tasks.origins import Origin
from tasks.samples import sample_rows
from tasks.wiring import open_workspace

PEOPLE, EACH = 200, 4
"""Most people on each side of a comparison, and most photos or scans of each."""
COEFFICIENTS, EMBEDDINGS = "coefficients", "embeddings"
SEED = 20250814


class Look(NamedTuple):
    """Vectors by what they are, a row each of `subjects`; `inputs` is what they were made from."""

    subjects: list[str | None]
    vectors: dict[str, Float64[ndarray, "n d"]]
    inputs: list[Artefact]


def look_at_photos(version: Champion, origin: Origin, snapshot: Snapshot, root: Path) -> Look:
    """Photos as the version's own reconstructor makes faces of them, none varied as for training.

    Raises `DataError` where no photo gave a face.
    """
    rows = sample_rows(load_rows(open_workspace().engine, snapshot.id), PEOPLE, EACH)
    crops = align_rows(snapshot, root, rows, origin.recogniser_px, origin.reconstructor_px)
    faces = coefficients_of(crops, root, origin.reconstructor_px, origin.variant)
    people = pool_people(faces, 0.0, SEED)
    normals = encode_photos(faces, people, unvaried(version.normals), SEED)
    embedded = embed_by_version(version, normals)
    vectors = {COEFFICIENTS: _coefficients(faces), EMBEDDINGS: _vectors(embedded)}
    known = {row.path: row.subject for row in rows}
    subjects = [known[path] for path, _ in faces.rows()]
    there = {name: found for name, found in vectors.items() if found.size}
    return Look(subjects, there, [*faces.shards, embedded.artefact])


def look_at_scans(version: Champion, snapshot: Snapshot, root: Path) -> Look:
    """Scans cleaned and encoded as the version was trained for."""
    rows = sample_rows(load_rows(open_workspace().engine, snapshot.id), PEOPLE, EACH)
    records = [cast(ScanRecord, record_of(row, "scan")) for row in rows]
    scans = encode_scans(root, records, version.normals)
    embedded = embed_by_version(version, scans)
    known = {row.path: row.subject for row in rows}
    return Look([known[path] for path in scans.sources], {EMBEDDINGS: _vectors(embedded)}, [embedded.artefact])


def look_at_benchmark(embedded: Embeddings, protocol: Protocol) -> Look:
    """Scans of a benchmark that the version was measured on already."""
    whose = {member.id: member.subject for member in (*protocol.gallery, *protocol.probes)}
    counts: dict[str, int] = {}
    kept: list[int] = []
    for number, source in enumerate(embedded.sources):
        subject = whose[source]
        counts[subject] = counts.get(subject, 0) + 1
        if counts[subject] <= EACH and len(counts) <= PEOPLE:
            kept.append(number)
    subjects: list[str | None] = [whose[embedded.sources[number]] for number in kept]
    return Look(subjects, {EMBEDDINGS: _vectors(embedded)[kept]}, [embedded.artefact])


def unvaried(config: NormalsConfig) -> NormalsConfig:
    """The grid of an encoding, without anything that varies or mixes faces."""
    still = {"rotation_spread_deg": 0.0, "shift_spread_mm": 0.0, "size_spread": 0.0, "noise_mm": 0.0}
    grid = {name: getattr(config, name) for name in ("pixels", "mm_per_pixel", "crop_radius_mm")}
    return NormalsConfig.model_validate({**grid, **still})


def _coefficients(faces: Faces) -> Float64[ndarray, "n k"]:
    parts = [_loaded(faces.shards, name) for name in ("identity", "expression")]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _loaded(shards: Sequence[Artefact], name: str) -> ndarray:
    blocks = [np.load(shard.path / f"{name}.npy", allow_pickle=False) for shard in shards]
    filled = [block for block in blocks if len(block)]
    return np.concatenate(filled) if filled else np.zeros((0, 0), np.float32)


def _vectors(embedded: Embeddings) -> Float64[ndarray, "n e"]:
    """The three unit vectors of each face as one, again of length one."""
    x, y, z = embedded.features(VARIANT).astype(np.float64)
    return np.concatenate([x, y, z], axis=1) / np.sqrt(3)
