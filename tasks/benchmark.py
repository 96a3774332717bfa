"""Benchmarks by name: where the scans are, how each is read, what is listed, and who is enrolled."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from infra.profiles import Profile
from infra.store import Artefact
from models.errors import DataError, UnknownPlugin
from models.metrics.protocol import Protocol
from models.morphable.builtin import LICENCE
from models.protocols.catalogue import SCAN_PROTOCOLS
from models.protocols.scans import merged_protocol
from models.readers.datasets import data_sets
from models.readers.records import ScanRecord
from registry.catalogue import load_rows
from registry.manifest import Snapshot
from tasks.leakage import require_different_people
from tasks.normals import NormalShards
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tasks.synthesise import ScanSetConfig, synthesise_scans
from tasks.wiring import open_workspace

MERGED = ("bu3dfe", "frgc", "bosphorus")
"""What paper A's Table 8 takes together."""
TITLES = {"bu3dfe": "BU-3DFE", "frgc": "FRGC v2", "bosphorus": "Bosphorus", "bu4dfe": "BU-4DFE"}


class Listed(NamedTuple):
    """A protocol, and the index of those scans that it uses."""

    records: list[ScanRecord]
    protocol: Protocol


class Benchmark(NamedTuple):
    """Scans on disk, the index of those that the protocol uses, the protocol, the snapshot that lists all of them;
    and the shards of simulated ones.
    """

    name: str
    root: Path
    records: list[ScanRecord]
    protocol: Protocol
    snapshot: Snapshot
    shards: list[Artefact]


_CONFIGS: Mapping[str, Callable[[Profile], ScanSetConfig]] = {
    "bu3dfe": attrgetter("benchmark"),
    "frgc": attrgetter("benchmarks.frgc"),
    "bosphorus": attrgetter("benchmarks.bosphorus"),
    "bu4dfe": attrgetter("benchmarks.bu4dfe"),
}
BENCHMARKS = tuple(_CONFIGS)


def simulated_benchmark(name: str, profile: Profile) -> Benchmark:
    """A simulated data set, read back by the reader of the real one. Raises `UnknownPlugin`."""
    _require_known(name)
    made = synthesise_scans(name, _CONFIGS[name](profile), profile.seed)
    source = Source(name, made.root.path, "scan")
    # not parsed here: encoding reads every scan, and lists those that give nothing
    title = f"simulated {TITLES[name]} (face world)"
    snapshot = take_snapshot(source, title, LICENCE, parse=False, simulated=True)
    return Benchmark(name, made.root.path, *list_data_set(name, made.root.path), snapshot, made.shards)


def real_benchmark(name: str, root: Path) -> Benchmark:
    """A data set in its own format at `root`, by the protocol of its own. Raises as `list_data_set` does."""
    found = list_data_set(name, root)
    source = Source(name, root, "scan")
    snapshot = take_snapshot(source, TITLES[name], data_sets[name].licence, parse=False)
    return Benchmark(name, root, *found, snapshot, [])


def catalogued_benchmark(snapshot: Snapshot) -> Benchmark:
    """A data set that the catalogue lists, by the protocol of its own, where it was when it was listed.

    Raises as `list_data_set` does, and `DataError` when files came or went since.
    """
    name, root = snapshot.data_set, Path(snapshot.source)
    found = list_data_set(name, root)
    there = {record.path for record in data_sets[name].index(root)}
    listed_then = {row.path for row in load_rows(open_workspace().engine, snapshot.id)}
    if there != listed_then:
        raise DataError(
            f"{root}: {len(there ^ listed_then)} files came or went since snapshot {snapshot.id[:12]} was taken: "
            f"`trinormal data add {name}` lists them anew"
        )
    return Benchmark(name, root, *found, snapshot, [])


def merged_benchmark(parts: Mapping[str, tuple[Benchmark, NormalShards]]) -> tuple[Protocol, NormalShards]:
    """Benchmarks as one: nobody in two of them (else `DataLeak`), and no scan encoded again."""
    require_different_people({name: part.snapshot for name, (part, _) in parts.items()})
    protocol = merged_protocol({name: part.protocol for name, (part, _) in parts.items()})
    shards = [shard for _, encoded in parts.values() for shard in encoded.shards]
    sources = [f"{name}/{source}" for name, (_, encoded) in parts.items() for source in encoded.sources]
    failures = [
        failure._replace(path=f"{name}/{failure.path}")
        for name, (_, encoded) in parts.items()
        for failure in encoded.failures
    ]
    return protocol, NormalShards(shards, sources, [], failures)


def list_data_set(name: str, root: Path) -> Listed:
    """What a data set's protocol takes of the scans at `root`; no scan is opened.

    Raises `UnknownPlugin`, and `DataError` where a name breaks the format or nothing is there.
    """
    _require_known(name)
    found = [record for record in data_sets[name].index(root) if isinstance(record, ScanRecord)]
    return listed(found, SCAN_PROTOCOLS[name](found))


def listed(found: Iterable[ScanRecord], protocol: Protocol) -> Listed:
    """The protocol, and of the records those that it uses."""
    used = {*protocol.gallery_ids, *protocol.probe_ids}
    return Listed([record for record in found if record.path in used], protocol)


def _require_known(name: str) -> None:
    if name not in _CONFIGS:
        raise UnknownPlugin(f"no benchmark {name!r}; have {', '.join(_CONFIGS)}")
