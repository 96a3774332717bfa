"""A protocol says which scans are enrolled, which are searched, and which are left out and why; its hash names it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
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


def require_listed_once(ids: Iterable[str], name: str) -> None:
    """Raise `DataError` when one id stands in a protocol's lists more than once."""
    twice = sorted(identifier for identifier, times in Counter(ids).items() if times > 1)
    if twice:
        raise DataError(f"protocol {name}: {twice[0]} is listed more than once: one scan has one role")


def hash_lists(lists: Mapping[str, Iterable[tuple[str, ...]]]) -> str:
    """SHA-256 of who is in which list; the order within a list does not enter it."""
    content = {name: sorted(rows) for name, rows in lists.items()}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


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
        require_listed_once([*self.gallery_ids, *self.probe_ids, *(left.id for left in self.exclusions)], self.name)

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
        return hash_lists({"gallery": self.gallery, "probes": self.probes, "exclusions": self.exclusions})
