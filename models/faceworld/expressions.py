"""Expressions as people make them: the six prototypes of BU-3DFE, each with a personal strength and accent."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.morphable.builtin import EXPRESSIONS
from models.morphable.population import Person

NEUTRAL = "NE"


def act(
    prototypes: Float32[ndarray, "6 4 e"],
    person: Person,
    expression: str,
    intensity: int,
    rng: np.random.Generator,
    accent: float = 0.12,
) -> Float32[ndarray, " e"]:
    """Coefficients of `expression` (a BU-3DFE code) at `intensity` 1..4; 0 or NE is neutral, but for the accent.

    A person always exaggerates or holds back the same way (from the person's seed); `rng` adds what differs from one
    take to the next, `accent` standard deviations at most, fading with the component's rank.
    """
    count = prototypes.shape[-1]
    fading = accent / np.sqrt(1.0 + np.arange(count) / 8)
    take = rng.normal(size=count) * fading * 0.5
    if expression == NEUTRAL or intensity == 0:
        return take.astype(np.float32)
    code = EXPRESSIONS.index(expression)
    habit = np.random.default_rng([person.seed, code])
    strength = habit.uniform(0.75, 1.15)
    manner = habit.normal(size=count) * fading * intensity / 4
    return (prototypes[code, intensity - 1] * strength + manner + take).astype(np.float32)


def act_freely(
    prototypes: Float32[ndarray, "6 4 e"], person: Person, rng: np.random.Generator
) -> Float32[ndarray, " e"]:
    """What is met in photos taken anywhere: often nearly neutral or a smile, sometimes a blend of two expressions."""
    kind = rng.random()
    if kind < 0.35:
        return act(prototypes, person, NEUTRAL, 0, rng)
    first = "HA" if kind < 0.6 else EXPRESSIONS[rng.integers(6)]
    coefficients = act(prototypes, person, first, int(rng.integers(1, 5)), rng)
    if kind > 0.85:
        other = act(prototypes, person, EXPRESSIONS[rng.integers(6)], int(rng.integers(1, 5)), rng)
        share = np.float32(rng.uniform(0.3, 0.7))
        return share * coefficients + (1 - share) * other
    return coefficients
