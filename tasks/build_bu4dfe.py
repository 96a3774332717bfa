"""Fills one shard of a simulated BU-4DFE; runs in a worker process."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.faceworld.cast import cast_women_and_men
from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.scanner import ScannerModel, capture
from models.faceworld.sensors import smoothed
from models.faceworld.studio import open_studio
from models.morphable.builtin import EXPRESSIONS
from models.protocols.indexed import EMOTIONS
from models.protocols.scans import BU4DFE_FRAMES
from models.readers.bu4dfe import FOLDERS, write_bu4dfe

FRAMES = 100
"""Length of a sequence; of these only the protocol's frames are made."""
TREMBLE = 0.05


def build_bu4dfe(
    folder: Path, seed: int, first: int, count: int, women: int, men: int, smoothing_mm: float, scanner: dict[str, Any]
) -> None:
    """Six sequences of each person, from neutral to an expression and back; people count from 1 in each gender."""
    studio, model = open_studio(), ScannerModel(**scanner)
    cast = cast_women_and_men(studio, "bu4dfe", seed, women, men)
    for index in range(first, first + count):
        person = cast[index]
        number = sum(other.is_female == person.is_female for other in cast[: index + 1])
        subject = f"{'F' if person.is_female else 'M'}{number:03d}"
        for place, (name, emotion) in enumerate(FOLDERS.items()):
            start = np.random.default_rng([seed, person.seed, place])
            code = EXPRESSIONS[EMOTIONS.index(emotion)]
            height = act(studio.model.prototype_expressions, person, code, int(start.integers(3, 5)), start)
            for frame in protocol_frames():
                take = np.random.default_rng([seed, person.seed, place, frame])
                tremble = act(studio.model.prototype_expressions, person, NEUTRAL, 0, take, accent=TREMBLE)
                seen = capture(studio, person, shown_share(frame) * height + tremble, model, take)
                smooth = smoothed(seen.about_tip, smoothing_mm / model.spacing_mm)
                scan = replace(seen._replace(about_tip=smooth).scan(), landmarks={})
                write_bu4dfe(folder, subject, name, frame, scan)


def protocol_frames() -> tuple[int, ...]:
    """The equally spaced frames that the protocol takes from a sequence."""
    return tuple(step * (FRAMES - 1) // (BU4DFE_FRAMES - 1) for step in range(BU4DFE_FRAMES))


def shown_share(frame: int) -> np.float32:
    """How much of the expression a frame shows: none at both ends, all of it in the middle."""
    return np.float32(np.sin(np.pi * frame / (FRAMES - 1)))
