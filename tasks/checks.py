"""Every file of a source checked once: cut into blocks that are named by what the file system says of their files."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from infra.files import canonical_json, sha256_bytes
from infra.store import Artefact
from models.errors import DataError
from registry.manifest import ManifestRow
from tasks.build_checks import Fact, build_checks, read_facts
from tasks.manifest_rows import manifest_row
from tasks.sources import Record, Source
from tasks.stages import make_all
from tasks.wiring import Workspace

STAGE = "file-checks"
CODE = ["tasks.build_checks"]
PHOTOS_PER_BLOCK, SCANS_PER_BLOCK = 1024, 64
"""On average: about a second of work. A block ends where a path's hash says so, so a new file changes one block."""
BLOCKS_AT_ONCE = 4
"""For each worker: what is on its way bounds the memory, whatever the size of the source."""


class Block(NamedTuple):
    """Neighbours in the index, and the artefact that holds what was found in them."""

    records: list[Record]
    artefact: Artefact

    def rows(self, role: str) -> Iterator[ManifestRow]:
        """The block as rows of a manifest."""
        return _joined(self.records, read_facts(self.artefact.path), role)


def check_blocks(workspace: Workspace, source: Source, parse: bool) -> Iterator[Block]:
    """Check all files of a source, block by block; blocks whose files are as they were are not opened again.

    Photos, and scans that are only hashed, are read by threads; scans are parsed by processes.
    """
    scans = source.kind == "scan" and parse
    size, workers = (SCANS_PER_BLOCK, workspace.settings.workers) if scans else (PHOTOS_PER_BLOCK, 1)
    blocks = cut(source.records(), size)
    while window := list(islice(blocks, workers * BLOCKS_AT_ONCE if scans else 1)):
        yield from _checked(workspace, source, window, parse, workers)


def cut(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Blocks of about `size`, at most four times that; where one ends depends on the path there alone."""
    block: list[Record] = []
    for record in records:
        block.append(record)
        if zlib.crc32(record.path.encode()) % size == 0 or len(block) == 4 * size:
            yield block
            block = []
    if block:
        yield block


def joined_rows(source: Source, blocks: Iterable[Artefact]) -> Iterator[ManifestRow]:
    """The rows of checked blocks with what the index says of them now; streamed.

    Raises `DataError` when files came or went since they were checked.
    """
    records = source.records()
    for artefact in blocks:
        facts = read_facts(artefact.path)
        yield from _joined(islice(records, len(facts)), facts, source.reading().role, str(source.root))
    if next(records, None) is not None:
        raise _unsteady(str(source.root))


def _checked(
    workspace: Workspace, source: Source, window: list[list[Record]], parse: bool, workers: int
) -> Iterator[Block]:
    units: list[tuple[list[str], dict[str, Any]]] = []
    for block in window:
        seen = sha256_bytes(canonical_json([_look(source, record.path) for record in block]).encode())
        units.append(
            ([seen], {"paths": [record.path for record in block], "data_set": _reader(source), "parse": parse})
        )
    where = [{"root": source.root, "threads": workspace.settings.workers if workers == 1 else 1} for _ in window]
    made = make_all(workspace, STAGE, units, CODE, build_checks, "check files", where, workers=workers)
    yield from map(Block, window, made)


def _reader(source: Source) -> str:
    """The data set whose reader opens the files; photos all read alike."""
    if source.kind == "photo":
        return "photos"
    return "scans" if source.table is not None else source.data_set


def _look(source: Source, path: str) -> list[Any]:
    """What the file system says of a file and of its landmarks: any write to them changes it (ctime cannot be set)."""
    file = source.root / path
    beside = source.reading().beside
    return [path, _status(file), _status(file.with_suffix(beside)) if beside else None]


def _status(file: Path) -> list[int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _joined(records: Iterable[Record], facts: list[Fact], role: str, root: str = "") -> Iterator[ManifestRow]:
    count = 0
    for record, fact in zip(records, facts, strict=False):
        if record.path != fact.path:
            raise _unsteady(root)
        count += 1
        yield manifest_row(record, fact, role)
    if count != len(facts):
        raise _unsteady(root)


def _unsteady(root: str) -> DataError:
    return DataError(f"{root}: files came or went while it was read: run the command again when nothing writes there")
