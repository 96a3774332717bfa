"""Benchmarks: where the scans are, what is listed, and who is enrolled."""

from pathlib import Path
from typing import NamedTuple

from infra.profiles import BenchmarkConfig
from models.metrics.protocol import Protocol
from models.readers.bu3dfe import bu3dfe_protocol, index_bu3dfe
from models.readers.records import ScanRecord
from tasks.synthesise import Collection, synthesise_scans


class Benchmark(NamedTuple):
    """Scans on disk, their index and the protocol."""

    root: Path
    records: list[ScanRecord]
    protocol: Protocol
    collection: Collection


def simulated_benchmark(config: BenchmarkConfig, seed: int) -> Benchmark:
    """A simulated BU-3DFE, read back by the reader of the real one."""
    made = synthesise_scans(config, seed)
    records = index_bu3dfe(made.root.path)
    return Benchmark(made.root.path, records, bu3dfe_protocol(records), made)
