"""Writes photos and tables as VGGFace2 publishes them, for synthetic people."""

from collections.abc import Iterable
from pathlib import Path

from infra.files import atomic_write_bytes, atomic_write_text
from models.errors import DataError
from models.readers.records import Box, FivePoints
from models.readers.vggface2 import Split
from models.readers.vggface2_tables import BOX_HEADER, LANDMARK_HEADER, META_HEADER, Identity
from models.readers.writing import require_jpeg


def write_photo(root: Path, split: Split, subject_number: int, image_number: int, face_number: int, jpeg: bytes) -> str:
    """Write one JPEG to its place, whole or not at all; returns its path relative to `root`.

    Raises `DataError` when `jpeg` is none or a number does not fit the name.
    """
    require_jpeg(jpeg, f"photo {image_number} of person {subject_number}")
    if not (0 <= subject_number < 10**6 and 0 <= image_number < 10**4 and 0 <= face_number < 100):
        raise DataError(f"n{subject_number}/{image_number}_{face_number}: a number does not fit n%06d/%04d_%02d.jpg")
    path = f"{split}/n{subject_number:06d}/{image_number:04d}_{face_number:02d}.jpg"
    atomic_write_bytes(root / path, jpeg)
    return path


def write_metadata(
    root: Path,
    split: Split,
    identities: Iterable[Identity],
    boxes: Iterable[tuple[str, Box]],
    landmarks: Iterable[tuple[str, FivePoints]],
) -> None:
    """Write `identity_meta.csv` (all people of both splits) and the two face tables of `split`.

    Faces are named as in the tables, `n000002/0001_01`. Each file is whole or keeps its old content.
    """
    people = [
        f'{person.subject}, "{_plain(person.name)}", {person.samples}, {int(person.training)}, {person.gender}\n'
        for person in identities
    ]
    atomic_write_text(root / "identity_meta.csv", "".join([", ".join(META_HEADER) + "\n", *people]))
    box_rows = (f'"{name}",{box.x:.0f},{box.y:.0f},{box.width:.0f},{box.height:.0f}\n' for name, box in boxes)
    point_rows = (
        f'"{name}",' + ",".join(f"{value:.7g}" for point in points for value in point) + "\n"
        for name, points in landmarks
    )
    folder = root / "bb_landmark"
    atomic_write_text(folder / f"loose_bb_{split}.csv", "".join([",".join(BOX_HEADER) + "\n", *box_rows]))
    atomic_write_text(folder / f"loose_landmark_{split}.csv", "".join([",".join(LANDMARK_HEADER) + "\n", *point_rows]))


def _plain(name: str) -> str:
    """A name the unescaped quotes of the format can hold."""
    if '"' in name or "\n" in name or "\r" in name:
        raise DataError(f"{name!r}: a name must not hold quotes or line ends")
    return name
