"""Score files: every comparison of a benchmark as a row of Parquet, bound to its protocol and model."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from infra.files import atomic_path
from models.errors import DataError
from models.metrics.benchmark import Searched
from models.metrics.comparisons import Comparisons, comparisons_of

PROTOCOL, MODEL, BENCHMARK, VARIANT, SCORE = (
    f"trinormal.{name}" for name in ("protocol", "model", "benchmark", "variant", "score")
)
MEANING = "Euclidean distance of unit embeddings; fused: mean of x, y, z (paper A, equation 15); smaller is more alike"
_WORDS = ("probe", "probe_subject", "reference", "reference_subject")
_AXES = ("x", "y", "z", "fused")
_SCHEMA = pa.schema(
    [*((name, pa.dictionary(pa.int32(), pa.string())) for name in _WORDS), *((name, pa.float32()) for name in _AXES)]
)
_PROBES_AT_ONCE = 256


class ScoreHead(NamedTuple):
    """What a score file is about: `protocol` is the hash, `model` names the networks that made the scores."""

    benchmark: str
    protocol: str
    variant: str
    model: str


class ScoreFile(NamedTuple):
    """A score file on disk, checked to be of the protocol that was asked for."""

    path: Path
    head: ScoreHead

    def tables(self) -> Iterator[pa.Table]:
        """The rows, a row group at a time."""
        with pq.ParquetFile(self.path) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number)

    def comparisons(self, score: str = "fused") -> Comparisons:
        """Genuine and impostor distances, and the lost probes, by one of x, y, z and fused."""
        if score not in _AXES:
            raise DataError(f"{self.path}: no score {score!r}; have {', '.join(_AXES)}")
        parts = [table.select(["probe_subject", "reference_subject", score]) for table in self.tables()]
        whole = pa.concat_tables(parts, promote_options="default").combine_chunks()
        probe, reference = (whole.column(name).cast(pa.string()).to_pylist() for name in whole.column_names[:2])
        return comparisons_of(whole.column(score).to_numpy().astype(np.float64), probe, reference)


def write_scores(path: Path, searched: Searched, sources: Sequence[str], head: ScoreHead) -> int:
    """Write the whole file or nothing, some probes at a time; returns the number of rows.

    `sources` names the rows of the features. A probe that could not be searched is a row without reference and scores.
    """
    given = {PROTOCOL: head.protocol, MODEL: head.model, BENCHMARK: head.benchmark, VARIANT: head.variant}
    schema = _SCHEMA.with_metadata({**given, SCORE: MEANING})
    rows = 0
    with atomic_path(path) as target, pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for table in _tables(searched, sources, schema):
            writer.write_table(table)
            rows += len(table)
    return rows


def open_scores(path: Path, protocol: str) -> ScoreFile:
    """The score file, if it is one and of that protocol's hash; raises `DataError` otherwise."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: no Parquet file ({str(error).splitlines()[0]})") from None
    said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    missing = [name for name in (PROTOCOL, MODEL, BENCHMARK, VARIANT) if name not in said]
    if missing or not set(_SCHEMA.names) <= set(schema.names):
        raise DataError(f"{path}: not a score file: {', '.join(missing) or 'columns'} missing")
    if said[PROTOCOL] != protocol:
        raise DataError(
            f"{path}: scores of protocol {said[PROTOCOL][:16]}, not {protocol[:16]}: score under one protocol"
        )
    return ScoreFile(path, ScoreHead(said[BENCHMARK], said[PROTOCOL], said[VARIANT], said[MODEL]))


def _tables(searched: Searched, sources: Sequence[str], schema: pa.Schema) -> Iterator[pa.Table]:
    part = searched.part
    references = len(part.gallery)
    names = [sources[row] for row in part.gallery]
    for start in range(0, len(part.probes), _PROBES_AT_ONCE):
        some = slice(start, start + _PROBES_AT_ONCE)
        probes = [sources[row] for row in part.probes[some]]
        words = [
            _repeated(probes, references),
            _repeated(part.probe_subjects[some], references),
            _tiled(names, len(probes)),
            _tiled(part.gallery_subjects, len(probes)),
        ]
        scores = [pa.array(each[:, some].T.ravel(), pa.float32()) for each in (*searched.axes, searched.fused)]
        yield pa.table([*words, *scores], schema=schema)
    if part.lost:
        nothing = pa.nulls(len(part.lost), pa.dictionary(pa.int32(), pa.string()))
        words = [_repeated(part.lost, 1), _repeated(part.lost_subjects, 1), nothing, nothing]
        yield pa.table([*words, *(pa.nulls(len(part.lost), pa.float32()) for _ in _AXES)], schema=schema)


def _repeated(words: Sequence[str], times: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.repeat(np.arange(len(words), dtype=np.int32), times), pa.array(words))


def _tiled(words: Sequence[str], times: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.tile(np.arange(len(words), dtype=np.int32), times), pa.array(words))
