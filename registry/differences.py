"""What changed from one snapshot to another, as data. Pure: two streams in the order of their paths, merged."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from registry.errors import RegistryError
from registry.manifest import ManifestRow

What = Literal["added", "removed", "changed", "relabelled"]
WHATS: tuple[What, ...] = ("added", "removed", "changed", "relabelled")


class Difference(NamedTuple):
    """One file that is not the same in both: `changed` bytes, or `relabelled` with what was and what is now said."""

    what: What
    path: str
    said: Mapping[str, tuple[Any, Any]]


def differences(before: Iterable[ManifestRow], after: Iterable[ManifestRow]) -> Iterator[Difference]:
    """Every difference in the order of the paths; a file with other bytes and other labels is told of twice.

    Both streams come by path in code-point order, each path once, and are never held: raises `RegistryError` where
    they do not. Size in pixels follows from the bytes and is not told.
    """
    olds, news = _checked(before), _checked(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.path < new.path):
            assert old is not None  # noqa: S101 - not both are at their end
            yield Difference("removed", old.path, {})
            old = next(olds, None)
        elif old is None or new.path < old.path:
            yield Difference("added", new.path, {})
            new = next(news, None)
        else:
            yield from _between(old, new)
            old, new = next(olds, None), next(news, None)


def tally(found: Iterable[Difference]) -> dict[What, int]:
    """How many differences there are of each kind."""
    counts = Counter(each.what for each in found)
    return {what: counts[what] for what in WHATS}


def _between(old: ManifestRow, new: ManifestRow) -> Iterator[Difference]:
    """Two rows of one path."""
    if old.sha256 != new.sha256:
        sizes = (old.size_bytes, new.size_bytes)
        yield Difference("changed", new.path, {"sha256": (old.sha256, new.sha256), "size_bytes": sizes})
    before, after = _said(old), _said(new)
    names = sorted(before.keys() | after.keys())
    said = {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
    if said:
        yield Difference("relabelled", new.path, said)


def _said(row: ManifestRow) -> dict[str, Any]:
    """Everything a row says that its bytes do not."""
    own = {"subject": row.subject, "role": row.role, "points": row.points, "failure": row.failure}
    return {**{f"labels.{name}": value for name, value in row.labels.items()}, **own}


def _checked(rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
    """The same rows; each path must come after the one before it."""
    last: str | None = None
    for row in rows:
        if last is not None and row.path <= last:
            raise RegistryError(f"{row.path!r} comes after {last!r}: sort the rows by path, each once")
        last = row.path
        yield row
