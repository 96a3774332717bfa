"""Files to faces: what each photo or scan gives, or why it gives nothing, and whose it is where folders say so."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from models.errors import DataError, PhotoError, ScanError
from models.photos.analysis import FaceNets, load_face_nets
from models.readers.folder import PHOTO_SUFFIXES, scan_suffixes
from models.readers.listing import list_files, suffix_of
from models.types import Failure
from tasks.embedder import Embedder, Vectors
from tasks.face_samples import Kind, Sample, kind_of, read_sample
from tasks.wiring import Workspace

BATCH = 32


class Input(NamedTuple):
    """A file, what sort it is, and whose face it shows where that is known."""

    path: Path
    kind: Kind
    name: str | None


class Acquired(NamedTuple):
    """A face, and its embeddings by the champion."""

    source: Input
    sample: Sample
    vectors: Vectors


def list_inputs(sources: Sequence[Path], name: str | None = None, *, people: bool = False) -> list[Input]:
    """The photos and scans at `sources`, files or folders; with `people` the first folder below each names the person.

    In a folder other files are passed over; pictures beside scans are their textures, and passed over too. Raises
    `DataError` where a file is of another sort, or there are none.
    """
    found: list[Input] = []
    for source in sources:
        if source.is_dir():
            found.extend(_below(source, name, people))
        elif people:
            raise DataError(f"{source}: with --people name folders that hold a sub-folder for each person")
        else:
            found.append(Input(source, kind_of(source), name))
    if not found:
        where = ", ".join(map(str, sources)) or "nothing"
        raise DataError(f"{where}: neither photos nor scans there: check the path")
    return found


def acquire(
    workspace: Workspace, embedder: Embedder, inputs: Sequence[Input]
) -> Iterator[Acquired | tuple[Input, Failure]]:
    """Each input's face and embeddings, or why there are none: a failure to acquire. A few are held at a time."""
    photos = any(each.kind == "photo" for each in inputs)
    nets = load_face_nets(workspace.settings.assets) if photos else None
    waiting = iter(inputs)
    while batch := list(islice(waiting, BATCH)):
        read = [_read(each, nets) for each in batch]
        answers = iter(embedder.embed([sample for sample in read if not isinstance(sample, Failure)]))
        for source, sample in zip(batch, read, strict=True):
            answer = sample if isinstance(sample, Failure) else next(answers)
            if isinstance(answer, Failure):
                yield source, Failure(str(source.path), answer.reason)
            elif not isinstance(sample, Failure):
                yield Acquired(source, sample, answer)


def _below(root: Path, name: str | None, people: bool) -> Iterator[Input]:
    paths = list(list_files(root))
    scans = any(suffix_of(path) in scan_suffixes() for path in paths)
    wanted = scan_suffixes() if scans else PHOTO_SUFFIXES
    for path in paths:
        if suffix_of(path) not in wanted:
            continue
        folder, _, inner = path.partition("/")
        if people and not inner:
            raise DataError(f"{root / path}: with --people every file lies in a sub-folder that names its person")
        yield Input(root / path, kind_of(root / path), folder if people else name)


def _read(source: Input, nets: FaceNets | None) -> Sample | Failure:
    try:
        return read_sample(source.path, nets)
    except (PhotoError, ScanError) as error:
        return Failure(str(source.path), str(error))
