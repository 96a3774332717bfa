"""Fills one shard of a simulated KDEF or FEI; runs in a worker process."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.faceworld.cast import cast_women_and_men
from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.photos import MadePhoto
from models.faceworld.portraits import Framing, Session, Sitter, camera_centre, seat, set_up, take_portrait
from models.faceworld.studio import Studio, open_studio
from models.morphable.builtin import EXPRESSIONS
from models.photos.decoding import encode_jpeg
from models.protocols.indexed import EMOTIONS
from models.readers import kdef
from models.readers.fei import PHOTOS, write_fei
from models.readers.kdef import YAW_DEG, write_kdef
from tasks.files import read_table, write_table
from tasks.photo_truth import write_truth

JPEG_QUALITY = 92
KDEF_SHAPE, FEI_SHAPE = (562, 762), (640, 480)
"""Width and height of the real pictures."""
FEI_ROTATION_DEG = tuple(float(angle) for angle in np.linspace(-90, 90, 10))
FEI_DARKER = {"13": 0.35, "14": 0.1}
"""How much of the light is left in these two photos."""
ROW = ("path", "subject", "gender", *(f"P{point}{axis}" for point in range(1, 6) for axis in "XY"))


class PortraitRow(NamedTuple):
    """One photo: its path, whose face it shows, and the five points (pixels, image-left eye first)."""

    path: str
    subject: str
    gender: str
    points: tuple[float, ...]


class Save(Protocol):
    """Writes JPEG bytes below a folder, under the name that the data set has for the photo; returns the name."""

    def __call__(self, root: Path, *, jpeg: bytes) -> str: ...


class Wanted(NamedTuple):
    """One photo to be taken."""

    save: Save
    expression: Float32[ndarray, " e"]
    yaw_deg: float
    session: Session


def build_kdef(
    folder: Path, seed: int, first: int, count: int, women: int, men: int, height: int, weakest: int
) -> None:
    """Two sessions, seven expressions and five angles of each person; people count from 1 in each gender."""
    studio, framing = open_studio(), _framing(KDEF_SHAPE, height, face=0.52, nose=0.53)
    people = cast_women_and_men(studio, "kdef", seed, women, men)
    sessions = {
        name: set_up(np.random.default_rng([seed, 0x4DEF, number]), wall=0.62) for number, name in enumerate("AB")
    }
    shard = _Shard(studio, folder, framing)
    for index in range(first, first + count):
        sitter = seat(studio, people[index], dressed_alike=True)
        is_female = people[index].is_female
        number = sum(other.is_female == is_female for other in people[: index + 1])
        subject = f"{'F' if is_female else 'M'}{number:02d}"
        shard.take(sitter, subject, _kdef_photos(studio, sitter, subject, sessions, weakest, seed), seed)
    shard.save()


def build_fei(folder: Path, seed: int, first: int, count: int, women: int, men: int, height: int, weakest: int) -> None:
    """Fourteen photos of each person, who are numbered from 1 in the order in which they come."""
    studio, framing = open_studio(), _framing(FEI_SHAPE, height, face=0.6, nose=0.53)
    people = cast_women_and_men(studio, "fei", seed, women, men)
    session = set_up(np.random.default_rng([seed, 0xFE1]), wall=0.8)
    shard = _Shard(studio, folder, framing)
    for index in range(first, first + count):
        sitter = seat(studio, people[index], dressed_alike=False)
        shard.take(sitter, str(index + 1), _fei_photos(studio, sitter, index + 1, session, weakest, seed), seed)
    shard.save()


def read_portrait_rows(folder: Path) -> list[PortraitRow]:
    """What a shard says of its photos."""
    return [
        PortraitRow(path, subject, gender, tuple(float(value) for value in points))
        for path, subject, gender, *points in read_table(folder / "rows.csv")
    ]


def _kdef_photos(
    studio: Studio, sitter: Sitter, subject: str, sessions: dict[str, Session], weakest: int, seed: int
) -> Iterator[Wanted]:
    """One take of each expression and session, seen from all five angles."""
    for session, setting in sessions.items():
        for code, word in kdef.EXPRESSIONS.items():
            take = np.random.default_rng([seed, sitter.person.seed, ord(session), *code.encode()])
            name = NEUTRAL if word == "neutral" else EXPRESSIONS[EMOTIONS.index(word)]
            intensity = 0 if word == "neutral" else int(take.integers(weakest, 5))
            made = act(studio.model.prototype_expressions, sitter.person, name, intensity, take)
            for angle, yaw_deg in YAW_DEG.items():
                save = partial(write_kdef, session=session, subject=subject, expression=code, angle=angle)
                yield Wanted(save, made, float(yaw_deg), setting)


def _fei_photos(
    studio: Studio, sitter: Sitter, subject: int, session: Session, weakest: int, seed: int
) -> Iterator[Wanted]:
    """From profile to profile, neutral, smiling, and two in less light."""
    smile = EXPRESSIONS[EMOTIONS.index("happy")]
    for number in range(1, PHOTOS + 1):
        photo = f"{number:02d}"
        take = np.random.default_rng([seed, sitter.person.seed, number])
        name, intensity = (smile, int(take.integers(weakest, 5))) if photo == "12" else (NEUTRAL, 0)
        made = act(studio.model.prototype_expressions, sitter.person, name, intensity, take)
        yaw_deg = FEI_ROTATION_DEG[number - 1] if number <= len(FEI_ROTATION_DEG) else 0.0
        setting = session._replace(level=session.level * FEI_DARKER.get(photo, 1.0))
        yield Wanted(partial(write_fei, subject=subject, photo=photo), made, yaw_deg, setting)


def _framing(shape: tuple[int, int], height: int, face: float, nose: float) -> Framing:
    return Framing(round(height * shape[0] / shape[1]), height, face, nose)


class _Shard:
    """Photos written under their names, and what is known of them."""

    def __init__(self, studio: Studio, folder: Path, framing: Framing) -> None:
        self._studio, self._folder, self._framing = studio, folder, framing
        self._rows: list[PortraitRow] = []
        self._made: list[MadePhoto] = []

    def take(self, sitter: Sitter, subject: str, photos: Iterator[Wanted], seed: int) -> None:
        """All photos of one person."""
        for number, wanted in enumerate(photos):
            rng = np.random.default_rng([seed, sitter.person.seed, 1000 + number])
            made = take_portrait(
                self._studio, sitter, wanted.expression, wanted.yaw_deg, wanted.session, self._framing, rng
            )
            path = wanted.save(self._folder, jpeg=encode_jpeg(made.pixels, JPEG_QUALITY))
            points = tuple(float(value) for value in made.five_points.ravel())
            self._rows.append(PortraitRow(path, subject, "f" if sitter.person.is_female else "m", points))
            self._made.append(made)

    def save(self) -> None:
        """`rows.csv` for whoever aligns the photos, `truth.npz` for whoever measures errors."""
        rows = [(*row[:3], *(f"{value:.3f}" for value in row.points)) for row in self._rows]
        write_table(self._folder / "rows.csv", ROW, rows)
        write_truth(self._folder / "truth.npz", self._made, camera_centre=np.array(camera_centre(self._framing)))
