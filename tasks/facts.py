"""Facts of photos, scans, coefficients, normal images and embeddings: made by shard, kept in the store, made once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from infra.files import canonical_json, sha256_bytes, sha256_file
from infra.store import Artefact
from registry.lineage import record_block
from tasks.build_facts import build_coefficient_facts, build_embedding_facts, build_normal_facts
from tasks.build_file_facts import build_photo_facts, build_scan_facts
from tasks.faces import Faces
from tasks.normals import NormalShards
from tasks.stages import make_all
from tasks.wiring import Workspace

PHOTOS_PER_SHARD, SCANS_PER_SHARD = 1000, 125
FILE_CODE, CODE = ["tasks.build_file_facts"], ["tasks.build_facts"]


class Found(NamedTuple):
    """A file as it lies on the disk now; None where there is none that can be read."""

    sha256: str | None
    size_bytes: int | None


def look_at_disk(root: Path, paths: Sequence[str], workers: int) -> Iterator[Found]:
    """Hash every file, in order. Never remembered: what the disk holds can only be asked of the disk."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(_found, (root / path for path in paths))


class Files(NamedTuple):
    """Files by their paths below a root, how they were found, and the snapshot that lists them, if one does."""

    root: Path
    paths: Sequence[str]
    found: Sequence[Found]
    snapshot: str | None = None


def photo_facts_of(workspace: Workspace, files: Files) -> list[Artefact]:
    """Facts of photos; made anew where a file is another one than when they were made."""
    blocks = _blocks(workspace, files, PHOTOS_PER_SHARD)
    units = [([digest], {}) for _, digest in blocks]
    arguments = [{"root": files.root, "paths": block} for block, _ in blocks]
    return make_all(workspace, "photo-facts", units, FILE_CODE, build_photo_facts, "look at photos", arguments)


def scan_facts_of(workspace: Workspace, files: Files, in_mm: bool) -> list[Artefact]:
    """Facts of scans, as `photo_facts_of`; `in_mm` where the data set is so by definition."""
    blocks = _blocks(workspace, files, SCANS_PER_SHARD)
    units = [([digest], {"in_mm": in_mm}) for _, digest in blocks]
    arguments = [{"root": files.root, "paths": block} for block, _ in blocks]
    return make_all(workspace, "scan-facts", units, FILE_CODE, build_scan_facts, "look at scans", arguments)


def coefficient_facts_of(workspace: Workspace, faces: Faces) -> list[Artefact]:
    """Facts of every face, and the reason of every photo that gave none."""
    pairs = list(zip(faces.crops.shards, faces.shards, strict=True))
    units = [([crops, shard], {}) for crops, shard in pairs]
    arguments = [{"crops": crops.path, "faces": shard.path} for crops, shard in pairs]
    title = "look at coefficients"
    return make_all(workspace, "coefficient-facts", units, CODE, build_coefficient_facts, title, arguments)


def normal_facts_of(workspace: Workspace, normals: NormalShards) -> list[Artefact]:
    """Facts of every normal component image."""
    sizes = [len(np.load(path, mmap_mode="r", allow_pickle=False)) for path in normals.paths]
    ends = np.cumsum([0, *sizes]).tolist()
    names = [_numbered(normals.sources[start:end]) for start, end in pairwise(ends)]
    units = [([shard, _digest(each)], {}) for shard, each in zip(normals.shards, names, strict=True)]
    arguments = [{"images": shard.path, "names": each} for shard, each in zip(normals.shards, names, strict=True)]
    title = "look at normal images"
    return make_all(workspace, "normal-facts", units, CODE, build_normal_facts, title, arguments)


def embedding_facts_of(
    workspace: Workspace, embeddings: Artefact, sources: Sequence[str], networks: Mapping[str, str]
) -> list[Artefact]:
    """Facts of every embedding of one artefact; `networks` are its variants with a letter for each axis."""
    units = [([embeddings, _digest(sources)], {"networks": dict(networks)})]
    arguments = [{"embeddings": embeddings.path, "sources": list(sources)}]
    title = "look at embeddings"
    return make_all(workspace, "embedding-facts", units, CODE, build_embedding_facts, title, arguments)


def _found(path: Path) -> Found:
    try:
        return Found(sha256_file(path), path.stat().st_size)
    except OSError:
        return Found(None, None)


def _blocks(workspace: Workspace, files: Files, size: int) -> list[tuple[list[str], str]]:
    """Blocks of neighbours by path with the hash of what they hold, so that a changed file touches one block."""
    ordered = sorted(zip(files.paths, files.found, strict=True), key=lambda pair: pair[0])
    blocks: list[tuple[list[str], str]] = []
    for start in range(0, len(ordered), size):
        block = ordered[start : start + size]
        digest = sha256_bytes(canonical_json([[path, now.sha256] for path, now in block]).encode())
        if files.snapshot is not None:
            record_block(workspace.engine, digest, files.snapshot)
        blocks.append(([path for path, _ in block], digest))
    return blocks


def _numbered(sources: Sequence[str]) -> list[str]:
    """What each image was made from; of several from one photo, which one it is."""
    seen: Counter[str] = Counter()
    many = Counter(sources)
    names: list[str] = []
    for source in sources:
        seen[source] += 1
        names.append(f"{source} (image {seen[source]})" if many[source] > 1 else source)
    return names


def _digest(names: Sequence[str]) -> str:
    return sha256_bytes("\n".join(names).encode())
