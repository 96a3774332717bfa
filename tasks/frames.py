"""Tables of facts as Parquet files inside artefacts."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from infra.files import atomic_write_bytes
from infra.store import Artefact

FACTS = "facts.parquet"
BLOCK_ROWS = 50_000


def save_frame(path: Path, frame: pd.DataFrame) -> None:
    """A table, whole or absent; the same table gives the same bytes."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    atomic_write_bytes(path, buffer.getvalue())


def load_facts(shards: Sequence[Artefact]) -> pd.DataFrame:
    """The facts of all shards as one table."""
    tables = [pd.read_parquet(shard.path / FACTS) for shard in shards]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def facts_in_blocks(shards: Sequence[Artefact], rows: int = BLOCK_ROWS) -> Iterator[pd.DataFrame]:
    """The same a block of about so many rows at a time, whole shards each."""
    waiting: list[Artefact] = []
    many = 0
    for shard in shards:
        waiting.append(shard)
        many += _rows(shard)
        if many >= rows:
            yield load_facts(waiting)
            waiting, many = [], 0
    if waiting:
        yield load_facts(waiting)


def _rows(shard: Artefact) -> int:
    from pyarrow.parquet import read_metadata

    return int(read_metadata(shard.path / FACTS).num_rows)
