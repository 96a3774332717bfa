"""Fills one shard of simulated scans to learn from, of people who are in no test; runs in a worker process."""

from pathlib import Path
from typing import Any

import numpy as np

from infra.files import atomic_write_bytes
from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.scanner import ScannerModel, scan_head
from models.faceworld.studio import open_studio
from models.morphable.builtin import EXPRESSIONS
from models.readers.meshes_out import write_obj

SPLIT = "recognition"
"""As on the photos: no bank member of these people is in a test (see `models.morphable.population`)."""
FIRST = 90_000
"""Behind everybody on the photos, of whatever profile."""


def build_few_scans(folder: Path, seed: int, first: int, count: int, each: int, scanner: dict[str, Any]) -> None:
    """`each` scans of each person, `<person>/<number>.obj`: the first neutral, the others with any expression."""
    studio, model = open_studio(), ScannerModel(**scanner)
    for index in range(first, first + count):
        person = studio.person(SPLIT, seed, FIRST + index)
        for number in range(each):
            rng = np.random.default_rng([seed, person.seed, number])
            code = NEUTRAL if number == 0 else EXPRESSIONS[rng.integers(len(EXPRESSIONS))]
            expression = act(studio.model.prototype_expressions, person, code, int(rng.integers(1, 5)), rng)
            scan = scan_head(studio, person, expression, model, rng)
            target = folder / f"s{index:05d}" / f"{number:03d}.obj"
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_bytes(target, write_obj(scan))
