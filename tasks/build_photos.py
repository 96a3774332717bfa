"""Fills one shard of a simulated photo collection; runs in a worker process."""

from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from models.faceworld.photos import MadePhoto, person_albedo, take_photo
from models.faceworld.studio import open_studio
from models.morphable.population import Split
from models.photos.decoding import encode_jpeg
from models.readers.vggface2_writer import write_photo
from tasks.files import read_table, write_table
from tasks.photo_truth import write_truth

SPLIT_FOLDER = "train"
TABLE_HEADER = (
    "path",
    "subject",
    "image",
    "gender",
    *"XYWH",
    *(f"P{point}{axis}" for point in range(1, 6) for axis in "XY"),
)


class ShardRow(NamedTuple):
    """What the metadata files of VGGFace2 say of one photo."""

    path: str
    subject: int
    image: int
    gender: str
    box: tuple[int, int, int, int]
    points: tuple[float, ...]


def build_photos(
    folder: Path,
    split: str,
    seed: int,
    first: int,
    count: int,
    photos_per_person: int,
    pixels: int,
    yaw_spread_deg: float,
    occlusion: float,
) -> None:
    """Photos of people `first` to `first + count`, `rows.csv` for the metadata files, `truth.npz` for the regressor."""
    studio = open_studio()
    rows: list[ShardRow] = []
    made: list[MadePhoto] = []
    for index in range(first, first + count):
        person = studio.person(cast(Split, split), seed, index)
        albedo = person_albedo(studio, person)
        for number in range(1, photos_per_person + 1):
            rng = np.random.default_rng([seed, person.seed, number])
            photo = take_photo(studio, person, albedo, rng, pixels, yaw_spread_deg, occlusion)
            jpeg = encode_jpeg(photo.pixels, int(rng.integers(60, 96)))
            path = write_photo(folder, SPLIT_FOLDER, index + 1, number, 1, jpeg)
            points = tuple(float(value) for value in photo.five_points.ravel())
            rows.append(ShardRow(str(path), index + 1, number, "f" if person.is_female else "m", photo.box, points))
            made.append(photo)
    table = [
        (row.path, row.subject, row.image, row.gender, *row.box, *(f"{v:.3f}" for v in row.points)) for row in rows
    ]
    write_table(folder / "rows.csv", TABLE_HEADER, table)
    write_truth(folder / "truth.npz", made, size_px=np.array(pixels))


def read_rows(path: Path) -> list[ShardRow]:
    """What `build_photos` wrote."""
    return [
        ShardRow(
            row[0],
            int(row[1]),
            int(row[2]),
            row[3],
            (int(row[4]), int(row[5]), int(row[6]), int(row[7])),
            tuple(float(value) for value in row[8:]),
        )
        for row in read_table(path)
    ]
