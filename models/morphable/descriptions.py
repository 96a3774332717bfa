"""What can be asked of a face that is to be generated: words for the person, intensities for the expression."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from models.errors import ConfigurationError
from models.morphable.builtin import EXPRESSIONS
from models.morphable.population import AGE, GENDER, WEIGHT

NEUTRAL = "NE"
UNKNOWN = 0
"""The word number of a slot about which nothing is said."""


class Slot(NamedTuple):
    """One thing to say about a person, and the words for it; word `w` has the number `w + 1`."""

    name: str
    words: tuple[str, ...]


SLOTS = (
    Slot("gender", ("man", "woman")),
    Slot("age", ("young", "middle-aged", "old")),
    Slot("build", ("slim", "average", "heavy")),
    Slot("ancestry", ("african", "asian", "caucasian", "mixed")),
)
VOCABULARY = tuple(len(slot.words) for slot in SLOTS)
AGE_STEPS, BUILD_STEPS = (0.69, 0.81), (0.37, 0.55)
"""Thirds of the population, on the bank's scales."""


def words_of(attributes: Float32[ndarray, "n 6"]) -> Int64[ndarray, "n 4"]:
    """Word numbers (1 and up) of people from the bank's attributes (gender, age, weight, three shares of ancestry)."""
    shares = attributes[:, 3:]
    return np.stack(
        [
            1 + (attributes[:, GENDER] > 0.5),
            1 + np.digitize(attributes[:, AGE], AGE_STEPS),
            1 + np.digitize(attributes[:, WEIGHT], BUILD_STEPS),
            1 + np.where(shares.max(axis=1) > 0.5, shares.argmax(axis=1), 3),
        ],
        axis=1,
    ).astype(np.int64)


def read_words(text: str) -> Int64[ndarray, " 4"]:
    """Word numbers of a description such as "old heavy woman"; what is not said is `UNKNOWN`.

    Raises `ConfigurationError` on a word that is not known, and on two words for the same thing.
    """
    numbers = np.full(len(SLOTS), UNKNOWN, dtype=np.int64)
    for word in text.lower().replace(",", " ").split():
        place = next((number for number, slot in enumerate(SLOTS) if word in slot.words), None)
        if place is None:
            known = "; ".join(", ".join(slot.words) for slot in SLOTS)
            raise ConfigurationError(f"description {text!r}: the word {word!r} is not known; choose from {known}")
        if numbers[place] != UNKNOWN:
            raise ConfigurationError(f"description {text!r}: says two things about {SLOTS[place].name}; keep one")
        numbers[place] = SLOTS[place].words.index(word) + 1
    return numbers


def expression_intensities(shares: Mapping[str, float]) -> Float32[ndarray, " 6"]:
    """Intensities 0-1 of BU-3DFE's six expressions, as {"HA": 0.75}; several blend, and none, or "NE", is neutral.

    Raises `ConfigurationError` on another code and on an intensity outside 0-1.
    """
    vector = np.zeros(len(EXPRESSIONS), dtype=np.float32)
    for code, intensity in shares.items():
        if code not in {NEUTRAL, *EXPRESSIONS}:
            raise ConfigurationError(f"no expression {code!r}; choose from {', '.join((NEUTRAL, *EXPRESSIONS))}")
        if not 0 <= intensity <= 1:
            raise ConfigurationError(f"expression {code}: the intensity {intensity} is not within 0 and 1")
        if code != NEUTRAL:
            vector[EXPRESSIONS.index(code)] = intensity
    return vector


def draw_intensities(rng: np.random.Generator, count: int) -> Float32[ndarray, "count 6"]:
    """Conditions for new expressions: the seven classes alike, each but neutral at a quarter, half, ... of its full."""
    kinds = rng.integers(len(EXPRESSIONS) + 1, size=count)
    levels = rng.integers(1, 5, size=count) / 4
    return (np.eye(len(EXPRESSIONS) + 1)[kinds] * levels[:, None])[:, : len(EXPRESSIONS)].astype(np.float32)
