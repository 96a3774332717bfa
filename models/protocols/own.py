"""Cross-validation over the photos of anybody's collection, to tell the people in it apart."""

from collections import defaultdict
from collections.abc import Iterable

from models.errors import DataError
from models.metrics.protocol import Exclusion
from models.protocols.indexed import Indexed
from models.protocols.splits import Example, Split, drawn

FEWEST_PHOTOS = 2


def photo_folds(photos: Iterable[Indexed], folds: int, seed: int = 0) -> list[Split]:
    """Each photo validates once, and each person's photos are spread evenly over the folds.

    Photos of nobody and people with one photo only are excluded, with the reason. Raises `DataError` when fewer than
    two people are left, and when nobody has a photo for some fold.
    """
    of_person: defaultdict[str, list[str]] = defaultdict(list)
    left: list[Exclusion] = []
    for photo in photos:
        if photo.subject is None:
            left.append(Exclusion(photo.path, "nobody is named"))
        else:
            of_person[photo.subject].append(photo.path)
    few = {who: paths for who, paths in of_person.items() if len(paths) < FEWEST_PHOTOS}
    left += [Exclusion(path, "the person's only photo") for paths in few.values() for path in paths]
    people = {who: drawn(((path, path) for path in paths), seed) for who, paths in of_person.items() if who not in few}
    if len(people) < 2:
        raise DataError(f"{len(people)} people have {FEWEST_PHOTOS} photos or more: at least two are needed")
    return [_fold(people, number, folds, tuple(left)) for number in range(folds)]


def _fold(people: dict[str, list[str]], number: int, folds: int, left: tuple[Exclusion, ...]) -> Split:
    sides: tuple[list[Example], list[Example]] = ([], [])
    for who, paths in people.items():
        for place, path in enumerate(paths):
            sides[place % folds == number].append(Example(path, who, who))
    if not sides[1]:
        raise DataError(f"fold {number + 1} of {folds} has no photo: nobody has that many, ask for fewer folds")
    return Split(f"photos, fold {number + 1} of {folds}", tuple(sides[0]), tuple(sides[1]), left)
