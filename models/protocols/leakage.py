"""Guards against leakage: who or what stands on both sides of a test. Each names the rows; none decides what follows.

Rows are those of a manifest that can be used. One side is held, the other streamed, as each function says.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

SIDE_OF_ROLE: Mapping[str, str] = {"gallery": "test", "probe": "test"}
"""Roles that are the two halves of one test; every other role is a side of its own."""

_KDEF = re.compile(
    r"(?:.*/)?[AB]([FM](?:0[1-9]|[12]\d|3[0-5]))(?:(?:AF|AN|DI|HA|NE|SA|SU)(?:S|[FH][LR])|V|H)\.jpe?g",
    re.IGNORECASE | re.DOTALL,
)


@runtime_checkable
class Listed(Protocol):
    """A row of a manifest: a file, its hash, whose face it shows, what it is for, and what else is known."""

    @property
    def path(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def role(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, Any]: ...


class Leak(NamedTuple):
    """A row that must not be where it is: which guard says so, its path, and what it collides with."""

    guard: str
    path: str
    why: str


class Person(NamedTuple):
    """Somebody; `people` is the data set whose name this is where a file tells it, empty where only callers know."""

    people: str
    name: str


def person_of(row: Listed) -> Person | None:
    """Whose face a row shows. KDEF's sessions A and B show the same people, whatever the folder calls them."""
    if row.subject is None:
        return None
    found = _KDEF.fullmatch(row.path)
    return Person("KDEF", found[1].upper()) if found else Person("", row.subject)


def sessions_as_two_people(rows: Iterable[Listed]) -> Iterator[Leak]:
    """Photos of KDEF whose person has another name in another session. Holds a name a person."""
    first: dict[Person, Listed] = {}
    for row in rows:
        person = person_of(row)
        if person is None or not person.people:
            continue
        known = first.setdefault(person, row)
        if known.subject != row.subject:
            why = f"{row.subject} is {known.subject} of {known.path}: KDEF's sessions A and B show the same people"
            yield Leak("one person under two names", row.path, why)


def subjects_on_both_sides(rows: Iterable[Listed], side_of_role: Mapping[str, str] = SIDE_OF_ROLE) -> Iterator[Leak]:
    """Rows of people who stand on another side before. Holds a row a person."""
    first: dict[Person, tuple[str, str]] = {}
    for row in rows:
        person = person_of(row)
        if person is None:
            continue
        side = side_of_role.get(row.role, row.role)
        known_side, known_path = first.setdefault(person, (side, row.path))
        if known_side != side:
            yield Leak(
                "a person on two sides", row.path, f"{person.name} is in {side}, and in {known_side} by {known_path}"
            )


def one_recording_on_both_sides(gallery: Iterable[Listed], probes: Iterable[Listed]) -> Iterator[Leak]:
    """Probes from a recording that is enrolled: a test of memory, not of recognition. Holds the gallery."""
    enrolled = {key: row.path for row in gallery for key in recordings_of(row)}
    for probe in probes:
        key = next((key for key in recordings_of(probe) if key in enrolled), None)
        if key is not None:
            yield Leak("gallery and probe from one recording", probe.path, f"{enrolled[key]} is enrolled: {key}")


def recordings_of(row: Listed) -> tuple[str, ...]:
    """What tells the recording of a row from others: its bytes, and the number or sequence that its data set gives it.

    Where it gives none, files of one name in one folder are one recording in several formats.
    """
    labels = row.labels
    if "collection" in labels and "recording" in labels:
        told = f"recording {labels['recording']} of {labels['collection']}"
    elif "frame" in labels:
        told = f"sequence {row.subject} {labels.get('expression')}"
    else:
        folder, _, name = row.path.rpartition("/")
        told = f"{folder}/{name.rpartition('.')[0]} in several formats"
    return (*((f"the same bytes {row.sha256[:12]}",) if row.sha256 else ()), told)


def people_in_two_sets(
    sets: Mapping[str, Iterable[Listed]], people_of: Mapping[str, str] | None = None
) -> Iterator[Leak]:
    """Rows of a merged collection whose person an earlier set has under its own name. Holds a hash a file.

    People are told by files with the same bytes; and by their names where `people_of` says that two sets name the
    same people (it maps a set to the data set whose people it shows), or where the files are KDEF's.
    """
    files: dict[str, tuple[str, str]] = {}
    people: dict[Person, tuple[str, str]] = {}
    for name, rows in sets.items():
        for row in rows:
            keys = _names(row, (people_of or {}).get(name, name))
            candidates = [files.get(row.sha256), *(people.get(key) for key in keys)]
            known = next((each for each in candidates if each is not None and each[0] != name), None)
            if known is not None:
                why = f"{row.subject} of {name} is also {known[1]} of {known[0]}"
                yield Leak("one person in two sets", row.path, why)
            if row.sha256:
                files.setdefault(row.sha256, (name, row.path))
            for key in keys:
                people.setdefault(key, (name, row.path))


def _names(row: Listed, people: str) -> tuple[Person, ...]:
    person = person_of(row)
    return () if person is None else (person if person.people else Person(people, person.name),)


def benchmark_in_training(training: Iterable[Listed], benchmark: Iterable[Listed], same_people: bool) -> Iterator[Leak]:
    """Training rows that the benchmark tests with: the same file, or a person of the same data set.

    Holds the benchmark, streams the training. `same_people`: both name people of one data set; else equal names are
    a coincidence, except in files of KDEF.
    """
    files: dict[str, str] = {}
    people: dict[Person, str] = {}
    for row in benchmark:
        if row.sha256:
            files.setdefault(row.sha256, row.path)
        person = person_of(row)
        if person is not None and (same_people or person.people):
            people.setdefault(person, row.path)
    for row in training:
        person = person_of(row)
        if row.sha256 in files:
            yield Leak("a test file in training", row.path, f"the same bytes as {files[row.sha256]}")
        elif person is not None and person in people:
            yield Leak("a test person in training", row.path, f"{person.name} is also in {people[person]}")


def shared_with_vggface1(rows: Iterable[Listed], identities: frozenset[str]) -> Iterator[Leak]:
    """Rows of VGGFace2's people whom VGGFace1 has too (53 are published): no test of networks trained on that."""
    for row in rows:
        if row.subject in identities:
            yield Leak("a person of VGGFace1", row.path, f"{row.subject} is in both data sets")
