"""How the photos of a split become the inputs of a classifier: one by one, or several of one face as one.

The paper pools coefficients over the views of a face without saying which views; no set here crosses the sides.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from random import Random

from models.protocols.splits import Aggregate, Example, Split

Key = tuple[str, ...]


def single_photos(split: Split) -> Iterator[Aggregate]:
    """Each photo alone."""
    for part, row in _rows(split):
        yield Aggregate(part, row.subject, row.label, (row.id,))


def whole_people(split: Split) -> Iterator[Aggregate]:
    """All photos of one person and label on one side as one input."""
    for (part, subject, label), ids in _grouped(split, lambda _: ()):
        yield Aggregate(part, subject, label, ids)


def with_views(split: Split, face_of: Callable[[str], str]) -> Iterator[Aggregate]:
    """Each photo with all photos of the same face on its side; so there are as many inputs as photos.

    `face_of` names the moment that a photo (by its id) shows, a person's session, say.
    """
    groups = dict(_grouped(split, lambda row: (face_of(row.id),)))
    for part, row in _rows(split):
        yield Aggregate(part, row.subject, row.label, groups[part, row.subject, row.label, face_of(row.id)])


def at_most(sets: Iterable[Aggregate], most: int, seed: int) -> Iterator[Aggregate]:
    """No more than `most` sets of one side, person and label, drawn by `seed`; the order stays."""
    groups: defaultdict[Key, list[int]] = defaultdict(list)
    listed = list(sets)
    for number, each in enumerate(listed):
        groups[each.part, each.subject, each.label].append(number)
    kept: set[int] = set()
    for key, numbers in groups.items():
        chosen = Random(f"{seed}/{'/'.join(key)}").sample(numbers, min(most, len(numbers)))  # noqa: S311 - no secret
        kept.update(chosen)
    return (each for number, each in enumerate(listed) if number in kept)


def _rows(split: Split) -> Iterator[tuple[str, Example]]:
    for part, rows in (("training", split.training), ("validation", split.validation)):
        for row in rows:
            yield part, row


def _grouped(split: Split, more: Callable[[Example], Key]) -> Iterator[tuple[Key, tuple[str, ...]]]:
    groups: defaultdict[Key, list[str]] = defaultdict(list)
    for part, row in _rows(split):
        groups[(part, row.subject, row.label, *more(row))].append(row.id)
    for key, ids in groups.items():
        yield key, tuple(sorted(ids))
