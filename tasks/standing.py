"""How a snapshot stands to the published data set: what it lacks, and what the papers' protocols make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from models.errors import DataError
from models.metrics.protocol import Protocol
from models.protocols.catalogue import PHOTO_SPLITS, SCAN_PROTOCOLS
from models.protocols.published import PAPER_A, PUBLISHED, coverage, missing_from
from models.readers.records import PhotoRecord, ScanRecord
from registry.manifest import Snapshot
from tasks.leakage import usable_rows
from tasks.manifest_rows import record_of
from tasks.sources import SIMULATED


@dataclass(frozen=True)
class Sizes:
    """One protocol or split: files on each side, what the paper has, and why it cannot be drawn, if so."""

    name: str
    sides: Mapping[str, int]
    published: Mapping[str, int]
    excluded: Mapping[str, int]
    problem: str = ""


@dataclass(frozen=True)
class Standing:
    """`missing` and `surplus` are readable names against the published set; `enrolment` is the scans' protocol."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    known: bool
    sizes: tuple[Sizes, ...]
    enrolment: Protocol | None

    def as_data(self) -> dict[str, Any]:
        """The same for JSON, without the protocol's members."""
        published = {"missing": list(self.missing), "surplus": list(self.surplus)} if self.known else None
        return {"published": published, "protocols": [vars(each) for each in self.sizes]}


def standing_of(engine: Engine, snapshot: Snapshot) -> Standing:
    """Compare a snapshot's usable files with the published set of its data set, where there is one.

    Published sets are bounded (60,000 files), so their records are held; a user's own data has none and is not read.
    """
    name = snapshot.data_set.removeprefix(SIMULATED)
    if name not in SCAN_PROTOCOLS and name not in PUBLISHED:
        return Standing((), (), False, (), None)
    records = [record_of(row, snapshot.kind) for row in usable_rows(engine, snapshot)]
    missing, surplus = missing_from(name, records)
    if name in SCAN_PROTOCOLS:
        sizes, enrolment = _enrolment(name, records)
        return Standing(missing, surplus, name in PUBLISHED, (sizes,), enrolment)
    return Standing(missing, surplus, name in PUBLISHED, _splits(name, records), None)


def _enrolment(name: str, records: Sequence[PhotoRecord | ScanRecord]) -> tuple[Sizes, Protocol | None]:
    paper = PAPER_A[name]._asdict()
    try:
        scans = [record for record in records if isinstance(record, ScanRecord)]
        protocol = SCAN_PROTOCOLS[name](scans)
    except DataError as error:
        return Sizes(name, {}, paper, {}, str(error)), None
    found = coverage(protocol, scans)
    return Sizes(name, found.found._asdict(), paper, dict(found.excluded)), protocol


def _splits(name: str, records: Sequence[PhotoRecord | ScanRecord]) -> tuple[Sizes, ...]:
    photos = [record for record in records if isinstance(record, PhotoRecord)]
    sizes: list[Sizes] = []
    for draw in PHOTO_SPLITS[name]:
        title = draw.__name__.removesuffix("_split").replace("_", " ")
        try:
            split = draw(photos)
        except DataError as error:
            sizes.append(Sizes(title, {}, {}, {}, str(error)))
            continue
        reasons: dict[str, int] = {}
        for left in split.exclusions:
            reasons[left.reason] = reasons.get(left.reason, 0) + 1
        sides = {"training": len(split.training), "validation": len(split.validation)}
        sizes.append(Sizes(split.name, sides, {}, reasons))
    return tuple(sizes)
