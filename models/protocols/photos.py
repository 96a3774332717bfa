"""The training and validation sets of paper B (section 4) from an index of KDEF or FEI.

The paper names counts, not files: which people and photos fall on which side is drawn by a seed (`splits.drawn`).
Each split has `folds` forms for cross-validation: the drawn order is turned on by `fold / folds` of its length, so that
the counts stay the paper's and all that is drawn comes to validate about equally often. Fold 0 is the order as drawn.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from models.errors import DataError
from models.metrics.protocol import Exclusion
from models.protocols.indexed import IndexedPhoto, label_of
from models.protocols.splits import Example, Split, drawn, turned

Item = TypeVar("Item")
KDEF_PEOPLE, KDEF_TRAINING, KDEF_VALIDATION = 10, 20, 15
"""Paper B, 4.1: 200 and 150 photos."""
KDEF_TRAINING_SHARE = (17, 28)
"""Paper B, 4.2: 2,975 of 4,900 photos."""


def kdef_individual_split(
    photos: Iterable[IndexedPhoto],
    seed: int = 0,
    people: int = KDEF_PEOPLE,
    training: int = KDEF_TRAINING,
    validation: int = KDEF_VALIDATION,
    session: str = "A",
    fold: int = 0,
    folds: int = 1,
) -> Split:
    """`people` persons, of each `training` and `validation` photos of one session (which has 35 of everyone).

    Everyone else's photos are not part of the split; folds have the same people. Raises `DataError` when fewer people
    have enough photos.
    """
    of_person = _grouped(_of_people(photos), lambda photo: photo.subject or "")
    for subject, rows in of_person.items():
        of_person[subject] = [photo for photo in rows if label_of(photo, "session") == session]
    enough = {name: rows for name, rows in of_person.items() if len(rows) >= training + validation}
    if len(enough) < people:
        raise DataError(
            f"KDEF: {len(enough)} people have {training + validation} photos in session {session}, {people} are needed"
        )
    sides: tuple[list[Example], list[Example]] = ([], [])
    for subject in drawn(((name, name) for name in enough), seed)[:people]:
        order = drawn(((_picture(photo), photo) for photo in enough[subject]), seed)
        order = turned(order[: training + validation], fold, folds)
        sides[0].extend(Example(photo.path, subject, subject) for photo in order[:training])
        sides[1].extend(Example(photo.path, subject, subject) for photo in order[training:])
    return Split("kdef individual", tuple(sides[0]), tuple(sides[1]))


def kdef_expression_split_by_image(
    photos: Iterable[IndexedPhoto], seed: int = 0, fold: int = 0, folds: int = 1
) -> Split:
    """Photos of each expression drawn to both sides (2,975 and 1,925): as in paper B, people are on both sides."""
    sides: tuple[list[Example], list[Example]] = ([], [])
    rows = _of_people(photos)
    for expression, group in _grouped(rows, lambda photo: label_of(photo, "expression")).items():
        order = turned(drawn(((_picture(photo), photo) for photo in group), seed), fold, folds)
        many = _training_share(len(order))
        for side, part in zip(sides, (order[:many], order[many:]), strict=True):
            side.extend(Example(photo.path, photo.subject or "", expression) for photo in part)
    return Split("kdef expression by image", tuple(sides[0]), tuple(sides[1]))


def kdef_expression_split_by_subject(
    photos: Iterable[IndexedPhoto], seed: int = 0, fold: int = 0, folds: int = 1
) -> Split:
    """Nobody on both sides: 42 people and one session of another train (2,975 photos), 27 people validate (1,890).

    2,975 photos are 85 of 140 sessions, which no number of whole people makes: the other session of the last person
    who trains is excluded.
    """
    groups = _grouped(_of_people(photos), lambda photo: f"{photo.subject} {label_of(photo, 'session')}")
    of_person = _grouped(groups, lambda key: key.split()[0])
    people = turned(drawn(((name, name) for name in of_person), seed), fold, folds)
    order = [key for subject in people for key in sorted(of_person[subject])]
    many = _training_share(len(order))
    trained, rest = order[:many], order[many:]
    last = trained[-1].split()[0] if trained else ""
    halved = [key for key in rest if key.split()[0] == last]
    reason = f"{last} trains, and nobody is on both sides"

    def examples(keys: Iterable[str]) -> tuple[Example, ...]:
        found = (photo for key in keys for photo in groups[key])
        return tuple(Example(photo.path, photo.subject or "", label_of(photo, "expression")) for photo in found)

    left = tuple(Exclusion(photo.path, reason) for key in halved for photo in groups[key])
    validation = examples(key for key in rest if key not in halved)
    return Split("kdef expression by subject", examples(trained), validation, left)


def fei_gender_split(photos: Iterable[IndexedPhoto], seed: int = 0, fold: int = 0, folds: int = 1) -> Split:
    """Half of the women and half of the men train, with all their photos, the others validate (50 + 50 and 50 + 50).

    Photos of people of unknown gender are excluded (FEI publishes no list), and so are the aligned copies.
    """
    rows = _of_people(photos)
    reasons = {photo.path: _why_not(photo) for photo in rows}
    left = tuple(Exclusion(path, reason) for path, reason in reasons.items() if reason)
    sides: tuple[list[Example], list[Example]] = ([], [])
    known = [photo for photo in rows if not reasons[photo.path]]
    for gender, group in sorted(_grouped(known, lambda photo: photo.gender or "").items()):
        of_person = _grouped(group, lambda photo: photo.subject or "")
        order = turned(drawn(((name, name) for name in of_person), seed), fold, folds)
        half = len(order) // 2
        for side, people in zip(sides, (order[:half], order[half:]), strict=True):
            side.extend(Example(photo.path, name, gender) for name in people for photo in of_person[name])
    return Split("fei gender", tuple(sides[0]), tuple(sides[1]), left)


def _why_not(photo: IndexedPhoto) -> str:
    """Why a photo of FEI is left out; empty when it is not."""
    if photo.labels.get("view") == "aligned":
        return "an aligned copy"
    return "" if photo.gender else "no gender: give a list"


def _training_share(many: int) -> int:
    of, whole = KDEF_TRAINING_SHARE
    return round(many * of / whole)


def _of_people(photos: Iterable[IndexedPhoto]) -> list[IndexedPhoto]:
    """Photos of somebody, each once: averaged faces are nobody's. Raises `DataError` on two files of one photo."""
    rows = [photo for photo in photos if photo.subject is not None]
    seen = Counter(map(_picture, rows))
    if twice := [photo for photo in rows if seen[_picture(photo)] > 1]:
        raise DataError(f"{twice[0].path} and {twice[1].path}: one photo in two files: remove one")
    return rows


def _picture(photo: IndexedPhoto) -> str:
    """What tells a photo from all others, whatever its file is called and wherever its folder lies."""
    labels = sorted((name, value) for name, value in photo.labels.items() if name != "corrected")
    return " ".join([photo.subject or "", *(f"{name}={value}" for name, value in labels)])


def _grouped(rows: Iterable[Item], key: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
