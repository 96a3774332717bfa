"""Fills one shard of a simulated FRGC v2; runs in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.faceworld.cast import cast_people
from models.faceworld.counts import spread_unevenly
from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.scanner import ScannerModel, capture
from models.faceworld.sensors import fit_grid, moved
from models.faceworld.studio import open_studio
from models.morphable.builtin import EXPRESSIONS
from models.protocols.scans import FRGC_SESSIONS
from models.readers.frgc import COLLECTIONS, write_frgc

TRAINING = COLLECTIONS[0]
FIRST_SUBJECT, FIRST_RECORDING = 4200, 101
EXPRESSIVE = 1642 / 4007
"""Paper A, 3.1: this share of the scans shows an expression."""
AWAY_MM, AWAY_SPREAD_MM = -1300.0, 60.0


def build_frgc(
    folder: Path,
    seed: int,
    first: int,
    count: int,
    people: int,
    scans: int,
    training_scans: int,
    grid: Sequence[int],
    scanner: dict[str, Any],
) -> None:
    """`scans` of the two sessions of the test set and `training_scans` of the one before, some people with many.

    The first scan of each person in the test set is neutral, as most of the real ones are.
    """
    studio, rows, columns = open_studio(), *grid
    cast = cast_people(studio, "frgc", seed, people)
    rng = np.random.default_rng([seed, 0xF26C])
    test, training = spread_unevenly(scans, people, rng, least=1), spread_unevenly(training_scans, people, rng)
    for index in range(first, first + count):
        person = cast[index]
        sessions = [TRAINING] * int(training[index]) + _sessions(int(test[index]))
        for number, session in enumerate(sessions):
            take = np.random.default_rng([seed, person.seed, number])
            calm = number == training[index] or take.random() >= EXPRESSIVE
            code = NEUTRAL if calm else EXPRESSIONS[take.integers(len(EXPRESSIONS))]
            expression = act(studio.model.prototype_expressions, person, code, int(take.integers(1, 5)), take)
            seen = capture(studio, person, expression, ScannerModel(**scanner), take).image()
            away = np.array([0.0, 0.0, take.normal(AWAY_MM, AWAY_SPREAD_MM)])
            image = fit_grid(moved(seen, away), rows, columns)
            write_frgc(folder, session, f"{FIRST_SUBJECT + index:05d}", FIRST_RECORDING + 2 * number, image)


def _sessions(scans: int) -> list[str]:
    """Half of a person's scans in each session of the test set, in their order."""
    return [FRGC_SESSIONS[2 * number >= scans] for number in range(scans)]
