"""Fills one shard of a simulated BU-3DFE; runs in a worker process."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64
from numpy import ndarray
from scipy.spatial import KDTree

from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.scanner import ScannerModel, scan_head
from models.faceworld.studio import open_studio
from models.morphable.builtin import EXPRESSIONS
from models.readers.bu3dfe import LANDMARKS, write_bu3dfe
from models.types import Scan

INTENSITIES = (1, 2, 3, 4)
ANCESTRY = ("BL", "AE", "WH")
"""BU-3DFE's codes in the order of the bank's columns african, asian, caucasian."""


def build_scans(folder: Path, seed: int, first: int, count: int, people: int, scanner: dict[str, Any]) -> None:
    """A neutral scan and six expressions at four intensities of each person, in BU-3DFE's naming."""
    studio = open_studio()
    drawn = [studio.person("benchmark", seed, index) for index in range(people)]
    for index in range(first, first + count):
        person = drawn[index]
        letter = "F" if person.is_female else "M"
        number = sum(other.is_female == person.is_female for other in drawn[: index + 1])
        ancestry = ANCESTRY[int(np.argmax(person.attributes[3:6]))]
        for code, intensity in [(NEUTRAL, 0), *((code, level) for code in EXPRESSIONS for level in INTENSITIES)]:
            rng = np.random.default_rng([seed, person.seed, EXPRESSIONS.index(code) + 1 if intensity else 0, intensity])
            expression = act(studio.model.prototype_expressions, person, code, intensity, rng)
            scan = scan_head(studio, person, expression, ScannerModel(**scanner), rng)
            write_bu3dfe(folder, f"{letter}{number:04d}", code, intensity, ancestry, scan, landmark_vertices(scan))


def landmark_vertices(scan: Scan) -> Int64[ndarray, " 83"]:
    """The scan's vertices nearest to 83 points: iBUG's 68, and the middles of 15 pairs along brows and lips."""
    points = np.array(list(scan.landmarks.values()))
    pairs = [*range(17, 21), *range(22, 26), *range(48, 55)]
    middles = [(points[first] + points[first + 1]) / 2 for first in pairs]
    wanted = np.concatenate([points, middles])[:LANDMARKS]
    return np.asarray(KDTree(scan.vertices).query(wanted)[1], dtype=np.int64)
