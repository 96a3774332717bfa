"""Who is enrolled and who is searched in anybody's folder of scans."""

import re
from collections.abc import Iterable, Sequence

from models.errors import DataError
from models.metrics.protocol import Exclusion, Member, Protocol
from models.protocols.indexed import IndexedScan

NAME = "folder"
ROLES = ("gallery", "probe")


def first_scan_protocol(scans: Iterable[IndexedScan]) -> Protocol:
    """The first scan of each subject is enrolled, all later ones are searched; `2` comes before `10`.

    Scans of nobody are excluded. Raises `DataError` when nobody has a second scan.
    """
    known, left = _of_somebody(scans)
    gallery: dict[str, Member] = {}
    probes: list[Member] = []
    for member in sorted(known, key=lambda each: _natural(each.id)):
        if member.subject in gallery:
            probes.append(member)
        else:
            gallery[member.subject] = member
    return _searchable(tuple(gallery.values()), probes, left, "nobody has a second scan to search for")


def labelled_protocol(scans: Iterable[IndexedScan]) -> Protocol:
    """As the column `role` of `labels.csv` says: gallery or probe; scans without a role are excluded.

    So are probes of whom no scan is enrolled: the test is a closed set. Raises `DataError` on another role, and when
    nothing is enrolled or searched.
    """
    rows = list(scans)
    roles = {scan.path: scan.labels.get("role") for scan in rows}
    wrong = next((f"{path}: role {role!a}" for path, role in roles.items() if role not in (*ROLES, None)), None)
    if wrong is not None:
        raise DataError(f"{wrong} in labels.csv: gallery, probe or empty")
    known, left = _of_somebody(rows)
    gallery = tuple(member for member in known if roles[member.id] == "gallery")
    enrolled = {member.subject for member in gallery}
    if not gallery:
        raise DataError("no scan has the role gallery in labels.csv: name some, or enrol the first of each subject")
    wanted = [member for member in known if roles[member.id] == "probe"]
    left += [Exclusion(member.id, "no role") for member in known if roles[member.id] is None]
    left += [Exclusion(member.id, "nobody enrolled") for member in wanted if member.subject not in enrolled]
    probes = [member for member in wanted if member.subject in enrolled]
    return _searchable(gallery, probes, left, "no scan of an enrolled subject has the role probe in labels.csv")


def _of_somebody(scans: Iterable[IndexedScan]) -> tuple[list[Member], list[Exclusion]]:
    known: list[Member] = []
    left: list[Exclusion] = []
    for scan in scans:
        if scan.subject is None:
            left.append(Exclusion(scan.path, "nobody's scan: it lies in no subject's folder"))
        else:
            known.append(Member(scan.path, scan.subject))
    return known, left


def _searchable(
    gallery: tuple[Member, ...], probes: Sequence[Member], left: Sequence[Exclusion], lack: str
) -> Protocol:
    if not probes:
        raise DataError(f"nothing to search for: {lack}")
    return Protocol(NAME, gallery, tuple(probes), tuple(left))


def _natural(path: str) -> list[tuple[int, int, str]]:
    """Numbers in a name by their value."""
    parts = re.findall(r"\d{1,18}|\D+|\d", path)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]
