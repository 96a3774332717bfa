"""Some people of a collection, and some rows of each: always the same ones, whatever else is there."""

from collections.abc import Iterable

from infra.files import sha256_bytes
from registry.manifest import ManifestRow


def sample_rows(rows: Iterable[ManifestRow], people: int, each: int) -> list[ManifestRow]:
    """At most `each` usable rows of at most `people` people, chosen by the hash of their names; in that order.

    Rows come by their digests (see `load_rows`), so that the first of a person are as good as drawn. A row of nobody
    is a person.
    """
    found: dict[str, list[ManifestRow]] = {}
    for row in rows:
        if row.failure is None:
            kept = found.setdefault(_person(row), [])
            if len(kept) < each:
                kept.append(row)
    chosen = sorted(found, key=lambda person: sha256_bytes(person.encode()))[:people]
    return [row for person in chosen for row in found[person]]


def _person(row: ManifestRow) -> str:
    return f"nobody {row.path}" if row.subject is None else f"person {row.subject}"
