"""Coefficients of a collection as one Parquet table, written a shard at a time, and read back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy import ndarray
from prefect import task

from infra.files import atomic_path
from infra.store import Artefact
from models.classifiers.source import Source
from models.classifiers.table import CoefficientTable
from models.errors import DataError
from models.metrics.verification import verification_auc
from tasks import policies
from tasks.build_crops import read_crop_rows, read_failures
from tasks.build_faces import PARTS
from tasks.faces import Faces
from tasks.files import read_json

CONFIDENCE = "confidence"
WORDS = ("path", "subject", "status", "reason", "space", "reconstructor", "cnet")


class Written(NamedTuple):
    """How many photos gave a face and how many did not; how well identities tell people apart, where it can be said."""

    faces: int
    failures: int
    auc: float | None


@task(name="write coefficients", **policies.STAGE)
def write_coefficients(faces: Faces, out: Path) -> Written:
    """See `write_parquet`."""
    good, bad = write_parquet(faces, out)
    return Written(good, bad, _auc(faces))


def write_parquet(faces: Faces, out: Path, confidences: Sequence[Artefact] = (), cnet: str = "") -> tuple[int, int]:
    """`out`: path, subject, status (ok, failed), reason, space, reconstructor, cnet, then named numbers.

    Numbers are called `identity_000`, `expression_000`, ... ; failures have none. `confidences` are C-Net's, a shard a
    shard of faces, and `cnet` its version. The whole file or nothing is written; returns numbers of faces and failures.
    """
    shards = [_parts(shard, confidences[number : number + 1]) for number, shard in enumerate(faces.shards)]
    widths = {name: max(part[name].shape[1] for part in shards) for name in shards[0]} if shards else {}
    schema = _schema(widths)
    good = bad = 0
    with atomic_path(out) as target, pq.ParquetWriter(target, schema) as writer:
        for number, parts in enumerate(shards):
            table, failed = _table(faces, number, parts, schema, cnet)
            writer.write_table(table)
            good, bad = good + len(table) - failed, bad + failed
    return good, bad


def write_vectors(out: Path, rows: Sequence[tuple[str, str]], source: Source, part: str, values: ndarray) -> None:
    """The same table of numbers that no reconstructor gave; `rows` are photo and subject of each row of `values`."""
    schema = _schema({part: values.shape[1]})
    words = [[*row, "ok", None, *source] for row in rows]
    columns: list[pa.Array] = [pa.array(list(column), pa.string()) for column in zip(*words, strict=True)]
    columns += [pa.array(column, pa.float32()) for column in values.T.astype(np.float32)]
    with atomic_path(out) as target:
        pq.write_table(pa.table(columns, schema=schema), target)


def read_parquet(path: Path) -> CoefficientTable:
    """What `write_parquet` wrote, without the failures.

    Raises `DataError` when it is another file, or holds coefficients of several reconstructors or of none.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{path}: not a table of coefficients ({error}); write one with `trinormal coefficients`"
        ) from None
    if missing := set(WORDS) - set(table.column_names):
        raise DataError(f"{path}: has no column {', '.join(sorted(missing))}; write it with `trinormal coefficients`")
    kept = table.filter(pc.field("status") == "ok")
    sources = {Source(*words) for words in zip(*(kept[name].to_pylist() for name in WORDS[4:]), strict=True)}
    if len(sources) != 1:
        raise DataError(f"{path}: holds coefficients of {len(sources)} reconstructors: one is needed")
    names = {name.rpartition("_")[0] for name in table.column_names if name not in WORDS}
    parts = {name: _columns(kept, name) for name in sorted(names)}
    paths = tuple(str(each) for each in kept["path"].to_pylist())
    return CoefficientTable(sources.pop(), paths, parts, parts.pop(CONFIDENCE, None))


def _columns(table: pa.Table, part: str) -> ndarray:
    names = [name for name in table.column_names if name.startswith(f"{part}_")]
    columns = [table[name].to_numpy() for name in names]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((len(table), 0), np.float32)


def _auc(faces: Faces) -> float | None:
    """Of all pairs of photos; None without identities, or without pairs of both kinds."""
    blocks = [_part(shard.path, "identity") for shard in faces.shards if len(_part(shard.path, "identity"))]
    if not blocks or blocks[0].shape[1] == 0:
        return None
    try:
        return verification_auc(np.concatenate(blocks), [who for _, who in faces.rows()])
    except DataError:
        return None


def _parts(shard: Artefact, confidence: Sequence[Artefact]) -> dict[str, ndarray]:
    """Numbers of one shard by part; a shard without a face has none of any."""
    found = {part: _part(shard.path, part) for part in PARTS}
    for each in confidence:
        found[CONFIDENCE] = _part(each.path, CONFIDENCE)
    return found


def _schema(widths: Mapping[str, int]) -> pa.Schema:
    words = [(name, pa.string()) for name in WORDS]
    numbers = [(f"{part}_{number:03d}", pa.float32()) for part in widths for number in range(widths[part])]
    return pa.schema([*words, *numbers])


def _table(
    faces: Faces, number: int, parts: Mapping[str, ndarray], schema: pa.Schema, cnet: str
) -> tuple[pa.Table, int]:
    """The rows of one shard, failures last, and how many of these there are."""
    crops, shard = faces.crops.shards[number], faces.shards[number]
    rows = read_crop_rows(crops.path)
    kept = np.load(shard.path / "rows.npy", allow_pickle=False)
    failed = [*read_failures(crops.path), *read_failures(shard.path)]
    whose = {row.path: row.subject for row in rows}
    made_by = (read_json(shard.path / "space.json")["space"], faces.variant.version, cnet)
    ok = [(rows[place].path, rows[place].subject, "ok", None, *made_by) for place in kept]
    bad = [(each.path, whose.get(each.path), "failed", each.reason, None, None, None) for each in failed]
    words = list(zip(*ok, *bad, strict=True)) or [()] * len(WORDS)
    columns: list[pa.Array] = [pa.array(list(column), pa.string()) for column in words]
    for name in schema.names[len(WORDS) :]:
        part, place = name.rsplit("_", 1)
        known = parts[part]
        values = known[:, int(place)].tolist() if known.shape[1] else []
        columns.append(pa.array([*values, *([None] * len(failed))], pa.float32()))
    return pa.table(columns, schema=schema), len(failed)


def _part(folder: Path, part: str) -> ndarray:
    return np.load(folder / f"{part}.npy", mmap_mode="r", allow_pickle=False)
