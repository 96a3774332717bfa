"""The galleries and probes of paper A (section 3.1), built from an index of each data set."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from models.errors import DataError
from models.metrics.protocol import Exclusion, Member, Protocol
from models.protocols.indexed import EMOTIONS, IndexedScan, label_of

BOSPHORUS_EXPRESSIONS = ("N", "E", "LFAU", "UFAU", "CAU")
"""Kinds of scan in the subset of 2,902 that paper A takes; rotations, occlusions and ignored ones are left out."""
FRGC_SESSIONS = ("Fall2003", "Spring2004")
"""The test set of FRGC v2 in the order of capture."""
BU4DFE_FRAMES = 5

Key = tuple[str | int, ...]


def bu3dfe_protocol(scans: Iterable[IndexedScan]) -> Protocol:
    """The neutral scan of each subject is enrolled, every other one is searched (100 and 2,400).

    Scans of a subject without a neutral one are excluded. Raises `DataError` on a second neutral scan.
    """
    rows = list(scans)
    neutral = [_subject(scan) for scan in rows if scan.expression == "neutral"]
    if len(set(neutral)) != len(neutral):
        raise DataError(f"BU-3DFE: {len(neutral)} neutral scans of {len(set(neutral))} subjects: each has exactly one")
    return _enrol_first("bu3dfe", rows, lambda scan: scan.expression == "neutral", "no neutral scan")


def frgc_protocol(scans: Iterable[IndexedScan]) -> Protocol:
    """The first recording of each subject is enrolled, all later ones are searched (466 and 3,541).

    First means in the earlier session, then by number, not by text. The training partition of v1 is excluded, and so
    is a second file of one recording.
    """
    kept, left = _with_label(scans, "collection", FRGC_SESSIONS, "not of the FRGC v2 test set")
    return _enrol_in_order("frgc", kept, _frgc_key, lambda _: True, "", left)


def _frgc_key(scan: IndexedScan) -> Key:
    return FRGC_SESSIONS.index(label_of(scan, "collection")), int(label_of(scan, "recording"))


def bosphorus_protocol(scans: Iterable[IndexedScan]) -> Protocol:
    """The first neutral scan of each subject is enrolled, the rest of the expression subset searched (105 and 2,797).

    Rotations, occlusions and ignored scans are excluded, and all scans of a subject without a neutral one.
    """
    kept, left = _with_label(scans, "kind", BOSPHORUS_EXPRESSIONS, "not of the expression subset")
    return _enrol_in_order(
        "bosphorus", kept, _bosphorus_key, lambda scan: label_of(scan, "kind") == "N", "no neutral scan", left
    )


def _bosphorus_key(scan: IndexedScan) -> Key:
    kind = BOSPHORUS_EXPRESSIONS.index(label_of(scan, "kind"))
    return kind, label_of(scan, "detail"), int(label_of(scan, "take"))


def bu4dfe_protocol(scans: Iterable[IndexedScan], frames: int = BU4DFE_FRAMES) -> Protocol:
    """Equally spaced frames of each sequence; each subject's first is enrolled, the others searched (101 and 2,929).

    The frames include a sequence's first and last one; the first sequence is the first of `EMOTIONS`, as by folder.
    Frames between them are not part of the protocol. A shorter sequence is excluded.
    """

    def sequence(scan: IndexedScan) -> tuple[str, str]:
        return _subject(scan), scan.expression or "no expression"

    kept: list[IndexedScan] = []
    left: list[Exclusion] = []
    for (subject, expression), group in groupby(sorted(scans, key=sequence), sequence):
        found, copies = _without_copies(group, _bu4dfe_key)
        left += copies
        if len(found) < frames:
            reason = f"{subject} {expression} has {len(found)} frames, {frames} are needed"
            left += [Exclusion(scan.path, reason) for scan in found]
            continue
        kept += [found[step * (len(found) - 1) // (frames - 1)] for step in range(frames)]
    return _enrol_in_order("bu4dfe", kept, _bu4dfe_key, lambda _: True, "", left)


def _bu4dfe_key(scan: IndexedScan) -> Key:
    if scan.expression not in EMOTIONS:
        raise DataError(f"{scan.path}: expression {scan.expression!a}, expected one of {', '.join(EMOTIONS)}")
    return EMOTIONS.index(scan.expression), int(label_of(scan, "frame"))


def merged_protocol(parts: Mapping[str, Protocol]) -> Protocol:
    """Several data sets as one: ids and subjects get their data set's name in front, so that nobody is two people.

    Paper A merges bu3dfe, frgc and bosphorus (671 and 8,738; its Table 8).
    """

    def members(of: Callable[[Protocol], Sequence[Member]]) -> tuple[Member, ...]:
        return tuple(Member(f"{n}/{m.id}", f"{n}/{m.subject}") for n, part in parts.items() for m in of(part))

    left = tuple(Exclusion(f"{n}/{x.id}", x.reason) for n, part in parts.items() for x in part.exclusions)
    return Protocol("merged", members(lambda part: part.gallery), members(lambda part: part.probes), left)


def _enrol_in_order(
    name: str,
    scans: Iterable[IndexedScan],
    key: Callable[[IndexedScan], Key],
    eligible: Callable[[IndexedScan], bool],
    lack: str,
    left: Sequence[Exclusion],
) -> Protocol:
    """`_enrol_first` after each subject's scans have been put in the order of `key` and copies left out."""
    kept: list[IndexedScan] = []
    copies: list[Exclusion] = []
    for _, group in groupby(sorted(scans, key=_subject), _subject):
        found, twice = _without_copies(group, key)
        kept += found
        copies += twice
    return _enrol_first(name, kept, eligible, lack, [*left, *copies])


def _without_copies(
    scans: Iterable[IndexedScan], key: Callable[[IndexedScan], Key]
) -> tuple[list[IndexedScan], list[Exclusion]]:
    """Scans by `key`, and of equal keys all but the first path: the same recording in two files."""
    first: dict[Key, IndexedScan] = {}
    twice: list[Exclusion] = []
    for scan in sorted(scans, key=lambda scan: (key(scan), scan.path)):
        kept = first.setdefault(key(scan), scan)
        if kept is not scan:
            twice.append(Exclusion(scan.path, f"the same recording as {kept.path}"))
    return list(first.values()), twice


def _enrol_first(
    name: str,
    scans: Iterable[IndexedScan],
    eligible: Callable[[IndexedScan], bool],
    lack: str,
    left: Sequence[Exclusion] = (),
) -> Protocol:
    """The first eligible scan of each subject is enrolled, all others searched; excluded where there is none."""
    rows = list(scans)
    enrolled: dict[str, str] = {}
    for scan in rows:
        if eligible(scan):
            enrolled.setdefault(_subject(scan), scan.path)
    gallery = tuple(Member(path, subject) for subject, path in enrolled.items())
    others = [Member(scan.path, _subject(scan)) for scan in rows if enrolled.get(_subject(scan)) != scan.path]
    probes = tuple(member for member in others if member.subject in enrolled)
    lacking = tuple(Exclusion(member.id, lack) for member in others if member.subject not in enrolled)
    return Protocol(name, gallery, probes, (*left, *lacking))


def _with_label(
    scans: Iterable[IndexedScan], label: str, wanted: Sequence[str], reason: str
) -> tuple[list[IndexedScan], list[Exclusion]]:
    """The scans whose label is wanted, and all others excluded with it and the reason."""
    kept: list[IndexedScan] = []
    left: list[Exclusion] = []
    for scan in scans:
        if label_of(scan, label) in wanted:
            kept.append(scan)
        else:
            left.append(Exclusion(scan.path, f"{label_of(scan, label)}: {reason}"))
    return kept, left


def _subject(scan: IndexedScan) -> str:
    if scan.subject is None:
        raise DataError(f"{scan.path}: nobody's scan: index the data set with its own reader, or label it")
    return scan.subject
