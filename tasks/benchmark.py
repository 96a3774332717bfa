"""Benchmarks by name: where the scans are, how each is read, what is listed, and who is enrolled."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from infra.profiles import Profile
from infra.store import Artefact
from models.errors import UnknownPlugin
from models.metrics.protocol import Protocol
from models.protocols.scans import (
    bosphorus_protocol,
    bu3dfe_protocol,
    bu4dfe_protocol,
    frgc_protocol,
    merged_protocol,
)
from models.readers.datasets import data_sets
from models.readers.records import ScanRecord
from tasks.normals import NormalShards
from tasks.synthesise import ScanSetConfig, synthesise_scans

MERGED = ("bu3dfe", "frgc", "bosphorus")
"""What paper A's Table 8 takes together."""


class Benchmark(NamedTuple):
    """Scans on disk, the index of those that the protocol uses, the protocol; and the shards of simulated ones."""

    name: str
    root: Path
    records: list[ScanRecord]
    protocol: Protocol
    shards: list[Artefact]


class _Kind(NamedTuple):
    protocol: Callable[[Iterable[ScanRecord]], Protocol]
    config: Callable[[Profile], ScanSetConfig]


_KINDS: Mapping[str, _Kind] = {
    "bu3dfe": _Kind(bu3dfe_protocol, attrgetter("benchmark")),
    "frgc": _Kind(frgc_protocol, attrgetter("benchmarks.frgc")),
    "bosphorus": _Kind(bosphorus_protocol, attrgetter("benchmarks.bosphorus")),
    "bu4dfe": _Kind(bu4dfe_protocol, attrgetter("benchmarks.bu4dfe")),
}
BENCHMARKS = tuple(_KINDS)


def simulated_benchmark(name: str, profile: Profile) -> Benchmark:
    """A simulated data set, read back by the reader of the real one. Raises `UnknownPlugin`."""
    made = synthesise_scans(name, _kind(name).config(profile), profile.seed)
    return real_benchmark(name, made.root.path)._replace(shards=made.shards)


def real_benchmark(name: str, root: Path) -> Benchmark:
    """A data set in its own format at `root`, by the protocol of its own.

    Raises `UnknownPlugin`, and `DataError` where a name breaks the format or nothing is there.
    """
    kind = _kind(name)
    found = [record for record in data_sets[name].index(root) if isinstance(record, ScanRecord)]
    protocol = kind.protocol(found)
    used = {*protocol.gallery_ids, *protocol.probe_ids}
    return Benchmark(name, root, [record for record in found if record.path in used], protocol, [])


def merged_benchmark(parts: Mapping[str, tuple[Protocol, NormalShards]]) -> tuple[Protocol, NormalShards]:
    """Benchmarks as one: nobody in two of them, and no scan encoded again."""
    protocol = merged_protocol({name: protocol for name, (protocol, _) in parts.items()})
    shards = [shard for _, encoded in parts.values() for shard in encoded.shards]
    sources = [f"{name}/{source}" for name, (_, encoded) in parts.items() for source in encoded.sources]
    failures = [
        failure._replace(path=f"{name}/{failure.path}")
        for name, (_, encoded) in parts.items()
        for failure in encoded.failures
    ]
    return protocol, NormalShards(shards, sources, [], failures)


def _kind(name: str) -> _Kind:
    if name not in _KINDS:
        raise UnknownPlugin(f"no benchmark {name!r}; have {', '.join(_KINDS)}")
    return _KINDS[name]
