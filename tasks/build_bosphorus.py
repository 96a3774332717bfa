"""Fills one shard of a simulated Bosphorus; runs in a worker process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.faceworld.action_units import action_unit
from models.faceworld.cast import cast_people
from models.faceworld.counts import apportion, spread_evenly
from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.scanner import UPRIGHT, Capture, ScannerModel, Turned, capture
from models.faceworld.sensors import covered, lost
from models.faceworld.studio import Studio, open_studio
from models.morphable.builtin import EXPRESSIONS
from models.morphable.population import Person
from models.readers.bosphorus import write_bosphorus
from models.readers.lm3 import LABELS, Landmarks
from models.types import RangeImage

EXPRESSION_SUBSET = {"N": 299, "E": 453, "LFAU": 1549, "UFAU": 432, "CAU": 169}
"""The 2,902 scans of the protocol by kind."""
OTHERS = {"YR": 735, "PR": 419, "CR": 211, "O": 381, "IGN": 18}
"""The 1,764 that it leaves out."""
DETAILS = {
    "N": ("N",),
    "E": ("ANGER", "DISGUST", "FEAR", "HAPPY", "SADNESS", "SURPRISE"),
    "LFAU": (
        *("9", "10", "12", "12L", "12R", "12LW", "14", "15", "16", "17"),
        *("18", "20", "22", "23", "24", "25", "26", "27", "28", "34"),
    ),
    "UFAU": ("1", "2", "4", "43", "44"),
    "CAU": ("A12A15", "A22A25", "A26A12"),
    "YR": ("R10", "R20", "R30", "R45", "R90", "L45", "L90"),
    "PR": ("D", "SD", "SU", "U"),
    "CR": ("RD", "RU"),
    "O": ("EYE", "MOUTH", "GLASSES", "HAIR"),
    "IGN": ("U",),
}
PITCH_DEG = {"D": -25.0, "SD": -12.0, "SU": 12.0, "U": 25.0, "RD": -20.0, "RU": 20.0}
IBUG = (17, 19, 21, 22, 24, 26, 36, 39, 42, 45, 39, 42, 31, 30, 35, 48, 51, 54, 62, 66, 57, 8)
"""Which of iBUG's points stands for each of `lm3.LABELS`; left is the left of the picture."""
SADDLES = {"Nose saddle left": 27, "Nose saddle right": 27}
"""Labels that lie midway between their point and this one."""


class _Wanted(NamedTuple):
    kind: str
    detail: str
    take: int


def build_bosphorus(
    folder: Path, seed: int, first: int, count: int, people: int, scans: int, others: int, scanner: dict[str, Any]
) -> None:
    """`scans` of the protocol's kinds and `others` that it leaves out, spread evenly over the people."""
    studio, model = open_studio(), ScannerModel(**scanner)
    cast = cast_people(studio, "bosphorus", seed, people)
    for index in range(first, first + count):
        for number, wanted in enumerate(_wanted(index, people, scans, others)):
            person = cast[index]
            rng = np.random.default_rng([seed, person.seed, number])
            expression = _expression(studio, person, wanted, rng)
            seen = capture(studio, person, expression, model, rng, _turned(wanted))
            write_bosphorus(folder, index, *wanted, _image(seen, wanted), _landmarks(seen))


def _wanted(index: int, people: int, scans: int, others: int) -> Iterator[_Wanted]:
    """One person's scans; where there are fewer than details, others begin elsewhere in the list."""
    totals = {**apportion(scans, EXPRESSION_SUBSET), **apportion(others, OTHERS)}
    for kind, total in totals.items():
        details = DETAILS[kind]
        for number in range(int(spread_evenly(total, people)[index])):
            yield _Wanted(kind, details[(index + number) % len(details)], number // len(details))


def _expression(studio: Studio, person: Person, wanted: _Wanted, rng: np.random.Generator) -> Float32[ndarray, " e"]:
    prototypes = studio.model.prototype_expressions
    if wanted.kind == "E":
        code = EXPRESSIONS[DETAILS["E"].index(wanted.detail)]
        return act(prototypes, person, code, int(rng.integers(2, 5)), rng)
    calm = act(prototypes, person, NEUTRAL, 0, rng)
    match wanted.kind:
        case "LFAU":
            return calm + action_unit("lower", wanted.detail, person)
        case "UFAU":
            return calm + action_unit("upper", wanted.detail, person)
        case "CAU":
            parts = [part for part in wanted.detail.split("A") if part]
            return calm + np.float32(0.7) * sum(
                (action_unit("lower", part, person) for part in parts), start=np.zeros_like(calm)
            )
        case _:
            return calm


def _turned(wanted: _Wanted) -> Turned:
    """The pose on demand; right is the right of the picture."""
    match wanted.kind:
        case "YR":
            return Turned(0.0, float(wanted.detail[1:]) * (1 if wanted.detail[0] == "R" else -1))
        case "PR":
            return Turned(PITCH_DEG[wanted.detail], 0.0)
        case "CR":
            return Turned(PITCH_DEG[wanted.detail], 45.0)
        case _:
            return UPRIGHT


def _image(seen: Capture, wanted: _Wanted) -> RangeImage:
    """The grid, with a hand, hair or glasses before it where the scan's kind says so."""
    image = seen.image()
    if wanted.kind != "O":
        return image
    left_eye, right_eye, mouth, brow = (_middle(seen, *points) for points in ((36, 39), (42, 45), (48, 54), (17, 36)))
    match wanted.detail:
        case "EYE":
            return covered(image, left_eye, 35.0, 25.0)
        case "MOUTH":
            return covered(image, mouth, 45.0, 30.0)
        case "HAIR":
            return covered(image, brow, 30.0, 15.0)
        case _:
            return lost(lost(image, left_eye, 20.0), right_eye, 20.0)


def _middle(seen: Capture, first: int, second: int) -> ndarray:
    points = np.array([seen.landmarks[f"ibug{number:02d}"] for number in (first, second)])
    return points.mean(axis=0)


def _landmarks(seen: Capture) -> Landmarks:
    """Bosphorus' 22 points, of which iBUG's 68 have all but the saddle of the nose."""
    named: Landmarks = {}
    for label, number in zip(LABELS, IBUG, strict=True):
        x, y, z = (float(value) for value in _middle(seen, number, SADDLES.get(label, number)))
        named[label] = (x, y, z)
    return named
