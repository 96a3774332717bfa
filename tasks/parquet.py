"""Coefficients of a collection as one Parquet table, written a shard at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from infra.files import atomic_path
from models.errors import DataError
from models.metrics.verification import verification_auc
from tasks import policies
from tasks.build_crops import read_crop_rows, read_failures
from tasks.build_faces import PARTS
from tasks.faces import Faces
from tasks.files import read_json


class Written(NamedTuple):
    """How many photos gave a face and how many did not; how well identities tell people apart, where it can be said."""

    faces: int
    failures: int
    auc: float | None


@task(name="write coefficients", **policies.STAGE)
def write_coefficients(faces: Faces, out: Path) -> Written:
    """`out`: path, subject, status (ok, failed), reason, space, then named numbers.

    Numbers are called `identity_000`, `expression_000`, ... ; failures have none. The whole file or nothing is written.
    """
    widths = _widths(faces)
    schema = _schema(widths)
    good = bad = 0
    with atomic_path(out) as target, pq.ParquetWriter(target, schema) as writer:
        for table, failed in _tables(faces, widths, schema):
            writer.write_table(table)
            good, bad = good + len(table) - failed, bad + failed
    return Written(good, bad, _auc(faces))


def _auc(faces: Faces) -> float | None:
    """Of all pairs of photos; None without identities, or without pairs of both kinds."""
    blocks = [_part(shard.path, "identity") for shard in faces.shards if len(_part(shard.path, "identity"))]
    if not blocks or blocks[0].shape[1] == 0:
        return None
    try:
        return verification_auc(np.concatenate(blocks), [who for _, who in faces.rows()])
    except DataError:
        return None


def _widths(faces: Faces) -> dict[str, int]:
    """Numbers of each part; a shard without a face says nothing."""
    widths = dict.fromkeys(PARTS, 0)
    for shard in faces.shards:
        for part in PARTS:
            widths[part] = max(widths[part], _part(shard.path, part).shape[1])
    return widths


def _schema(widths: dict[str, int]) -> pa.Schema:
    words = [(name, pa.string()) for name in ("path", "subject", "status", "reason", "space")]
    numbers = [(f"{part}_{number:03d}", pa.float32()) for part in PARTS for number in range(widths[part])]
    return pa.schema([*words, *numbers])


def _tables(faces: Faces, widths: dict[str, int], schema: pa.Schema) -> Iterator[tuple[pa.Table, int]]:
    for crops, shard in zip(faces.crops.shards, faces.shards, strict=True):
        rows = read_crop_rows(crops.path)
        kept = np.load(shard.path / "rows.npy", allow_pickle=False)
        failed = [*read_failures(crops.path), *read_failures(shard.path)]
        whose = {row.path: row.subject for row in rows}
        space = read_json(shard.path / "space.json")["space"]
        ok = [(rows[number].path, rows[number].subject, "ok", None, space) for number in kept]
        words = [*ok, *((each.path, whose.get(each.path), "failed", each.reason, None) for each in failed)]
        columns: list[pa.Array] = [pa.array(list(column), pa.string()) for column in zip(*words, strict=True)]
        if not words:
            continue
        for part in PARTS:
            known = _part(shard.path, part)
            for number in range(widths[part]):
                values = [*known[:, number].tolist(), *([None] * len(failed))]
                columns.append(pa.array(values, pa.float32()))
        yield pa.table(columns, schema=schema), len(failed)


def _part(folder: Path, part: str) -> np.ndarray:
    return np.load(folder / f"{part}.npy", mmap_mode="r", allow_pickle=False)
