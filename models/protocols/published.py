"""What the published data sets hold, and what an index of one lacks of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from models.metrics.protocol import Protocol
from models.protocols.indexed import EMOTIONS

SHOWN = 10


class Counts(NamedTuple):
    """Sizes of gallery and probe set."""

    gallery: int
    probes: int


PAPER_A = {
    "bu3dfe": Counts(100, 2400),
    "frgc": Counts(466, 3541),
    "bosphorus": Counts(105, 2797),
    "bu4dfe": Counts(101, 2929),
    "merged": Counts(671, 8738),
}
"""Section 3.1 and Table 8 of paper A."""


@dataclass(frozen=True)
class Coverage:
    """How a protocol built from an index compares with the paper's."""

    protocol: str
    found: Counts
    published: Counts
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    excluded: tuple[tuple[str, int], ...]

    @property
    def complete(self) -> bool:
        """Whether the paper's own sizes were reached."""
        return self.found == self.published

    def report(self) -> str:
        """A few lines for people: sizes, what is missing, what was left out and why."""
        lines = [
            f"{self.protocol}: gallery {self.found.gallery} of {self.published.gallery}, "
            f"probes {self.found.probes} of {self.published.probes}"
        ]
        for what, names in (("missing", self.missing), ("not in the published set", self.surplus)):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                lines.append(f"  {len(names)} {what}: {', '.join(names[:SHOWN])}{more}")
        lines += [f"  {many} excluded: {reason}" for reason, many in self.excluded]
        return "\n".join(lines)


@dataclass(frozen=True)
class Published:
    """Names of everything a published data set holds, and how to get that name from an indexed record."""

    names: Callable[[], Iterable[str]]
    name_of: Callable[[Any], str]


def coverage(protocol: Protocol, records: Iterable[Any]) -> Coverage:
    """The comparison of a protocol of `PAPER_A` with the paper and, where names are known, of its index with the set.

    FRGC's recordings and Bosphorus' action units are not known by name: only their counts and people are compared.
    """
    reasons: dict[str, int] = {}
    for left in protocol.exclusions:
        reasons[left.reason] = reasons.get(left.reason, 0) + 1
    missing, surplus = missing_from(protocol.name, records)
    return Coverage(
        protocol.name,
        Counts(len(protocol.gallery), len(protocol.probes)),
        PAPER_A[protocol.name],
        missing,
        surplus,
        tuple(sorted(reasons.items())),
    )


def missing_from(data_set: str, records: Iterable[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the published `data_set` has and the index lacks, and the other way round, by readable names."""
    if data_set not in PUBLISHED:
        return (), ()
    known = PUBLISHED[data_set]
    expected, found = set(known.names()), {known.name_of(record) for record in records}
    return tuple(sorted(expected - found)), tuple(sorted(found - expected))


def unmet(protocol: Protocol, present: Iterable[str]) -> tuple[str, ...]:
    """Ids that a stored protocol lists and an index does not have, in the protocol's order."""
    there = frozenset(present)
    return tuple(name for name in (*protocol.gallery_ids, *protocol.probe_ids) if name not in there)


def _people(women: int, men: int, digits: int) -> Iterator[str]:
    yield from (f"F{number:0{digits}d}" for number in range(1, women + 1))
    yield from (f"M{number:0{digits}d}" for number in range(1, men + 1))


_BU3DFE = ("neutral 0", *(f"{word} {level}" for word, level in product(EMOTIONS, range(1, 5))))
_ANGLES = ("FL", "HL", "S", "HR", "FR")

PUBLISHED = {
    "bu3dfe": Published(
        lambda: (f"{who} {face}" for who, face in product(_people(56, 44, 4), _BU3DFE)),
        lambda scan: f"{scan.subject} {scan.expression} {scan.intensity}",
    ),
    "bosphorus": Published(lambda: (f"bs{number:03d}" for number in range(105)), lambda scan: scan.subject),
    "bu4dfe": Published(
        lambda: (f"{who} {word}" for who, word in product(_people(58, 43, 3), EMOTIONS)),
        lambda scan: f"{scan.subject} {scan.expression}",
    ),
    "kdef": Published(
        lambda: (
            f"{session}{who} {word} {angle}"
            for session, who, word, angle in product("AB", _people(35, 35, 2), ("neutral", *EMOTIONS), _ANGLES)
        ),
        lambda photo: (
            f"{photo.labels.get('session')}{photo.subject} {photo.labels['expression']} {photo.labels['angle']}"
        ),
    ),
    "fei": Published(
        lambda: (f"{person}-{photo:02d}" for person, photo in product(range(1, 201), range(1, 15))),
        lambda photo: f"{photo.subject}-{photo.labels['photo']}",
    ),
}
