"""Benchmarks: where the scans are, what is listed, and who is enrolled."""

from pathlib import Path
from typing import NamedTuple

from infra.profiles import BenchmarkConfig
from models.metrics.protocol import Protocol
from models.morphable.builtin import LICENCE
from models.readers.bu3dfe import bu3dfe_protocol, index_bu3dfe
from models.readers.records import ScanRecord
from registry.manifest import Snapshot
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tasks.synthesise import Collection, synthesise_scans


class Benchmark(NamedTuple):
    """Scans on disk, their index, the protocol, and the snapshot that lists them."""

    root: Path
    records: list[ScanRecord]
    protocol: Protocol
    collection: Collection
    snapshot: Snapshot


def simulated_benchmark(config: BenchmarkConfig, seed: int) -> Benchmark:
    """A simulated BU-3DFE, read back by the reader of the real one."""
    made = synthesise_scans(config, seed)
    records = index_bu3dfe(made.root.path)
    source = Source("bu3dfe", made.root.path, "scan")
    # not parsed here: encoding reads every scan, and lists those that give nothing
    snapshot = take_snapshot(source, "simulated BU-3DFE (face world)", LICENCE, parse=False, simulated=True)
    return Benchmark(made.root.path, records, bu3dfe_protocol(records), made, snapshot)
