"""VGGFace2 (Cao et al. 2018): 9,131 people, 3.31 million photos, as published."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from models.errors import DataError
from models.readers.records import Box, FivePoints, PhotoRecord
from models.readers.vggface2_tables import BOX_HEADER, LANDMARK_HEADER, FaceTable, Identity, read_identities

Split = Literal["train", "test"]

_SUBJECT = re.compile(r"n\d{6}")
_PHOTO = re.compile(r"(\d{4,})_(\d\d)\.jpg")


def index_vggface2(root: Path, split: Split) -> Iterator[PhotoRecord]:
    """Every photo of a split, by subject and name; no photo is opened and one person's rows are held at a time.

    The tables may be absent (they are separate downloads): gender, box or points are None then, and None for any
    photo they leave out. Raises `DataError` on a missing folder, a photo with another kind of name, a damaged table
    (file and line), or a person whom `identity_meta.csv` puts into the other split.
    """
    folder = root / split
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: point to the one that holds train and test")
    meta = root / "identity_meta.csv"
    people = read_identities(meta) if meta.exists() else {}
    boxes = _table(root / "bb_landmark" / f"loose_bb_{split}.csv", BOX_HEADER)
    landmarks = _table(root / "bb_landmark" / f"loose_landmark_{split}.csv", LANDMARK_HEADER)
    subjects = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    if not subjects:
        raise DataError(f"{folder}: no person in it: unpack vggface2_{split}.tar.gz there")
    return (record for subject in subjects for record in _photos(root, subject, people, boxes, landmarks))


def _table(path: Path, header: tuple[str, ...]) -> FaceTable | None:
    return FaceTable(path, header) if path.exists() else None


def _photos(
    root: Path, folder: Path, people: dict[str, Identity], boxes: FaceTable | None, landmarks: FaceTable | None
) -> Iterator[PhotoRecord]:
    """One person's photos."""
    subject, split = folder.name, folder.parent.name
    if not _SUBJECT.fullmatch(subject):
        raise DataError(f"{folder}: not a VGGFace2 person like n000002: move it away")
    person = people.get(subject)
    if person is not None and person.training != (split == "train"):
        raise DataError(f"{folder}: {subject} belongs to the other split by identity_meta.csv: move the folder")
    box_of = boxes.of(subject) if boxes else {}
    points_of = landmarks.of(subject) if landmarks else {}
    for photo in sorted(folder.glob("*.jpg")):
        if not _PHOTO.fullmatch(photo.name):
            raise DataError(f"{photo}: not a VGGFace2 photo like 0001_01.jpg: rename it or move it away")
        name = f"{subject}/{photo.stem}"
        box, points = box_of.get(name), points_of.get(name)
        yield PhotoRecord(
            photo.relative_to(root).as_posix(),
            subject,
            person.gender if person else None,
            _five_points(points) if points else None,
            Box(*box) if box else None,
            {"name": person.name} if person else {},
        )


def _five_points(numbers: tuple[float, ...]) -> FivePoints:
    """P1X, P1Y, ..., P5Y as points."""
    a, b, c, d, e = zip(numbers[0::2], numbers[1::2], strict=True)
    return a, b, c, d, e
