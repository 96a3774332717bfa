"""A protocol says which scans are enrolled, which are searched, and which are left out and why; its hash names it."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from models.errors import DataError


class Member(NamedTuple):
    """One scan or photo of a protocol: its id (the path within the data set) and whose face it is."""

    id: str
    subject: str


class Exclusion(NamedTuple):
    """One scan or photo a protocol leaves out, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Protocol:
    """Gallery, probes and exclusions of a closed-set test.

    Raises `DataError` when one id appears twice, on two sides, or is both used and excluded.
    """

    name: str
    gallery: tuple[Member, ...]
    probes: tuple[Member, ...]
    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        used = Counter([*self.gallery_ids, *self.probe_ids, *(left.id for left in self.exclusions)])
        twice = sorted(identifier for identifier, times in used.items() if times > 1)
        if twice:
            raise DataError(f"protocol {self.name}: {twice[0]} is listed more than once: one scan has one role")

    @property
    def gallery_ids(self) -> tuple[str, ...]:
        """Ids of the enrolled scans, in order."""
        return tuple(member.id for member in self.gallery)

    @property
    def probe_ids(self) -> tuple[str, ...]:
        """Ids of the searched scans, in order."""
        return tuple(member.id for member in self.probes)

    def hash(self) -> str:
        """SHA-256 of who is where; the order of the lists and the protocol's name do not enter it.

        Metrics are comparable only under one hash. Subjects are part of it: a relabelled scan is another protocol.
        """
        content = {
            "gallery": sorted(self.gallery),
            "probes": sorted(self.probes),
            "exclusions": sorted(self.exclusions),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
