"""Moves of one part of the face, standing for the action units that Bosphorus records.

The built-in model has no muscles. A unit is a fixed mix of the expression components that move almost nothing but the
lower or the upper half of the face; its name decides the mix, so everybody makes the same move in a way of one's own.
"""

from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.morphable.builtin import load_head
from models.morphable.population import Person

Half = Literal["lower", "upper"]
REACH_MM: dict[Half, tuple[float, float]] = {"lower": (4.0, 9.0), "upper": (2.0, 4.0)}
"""How far the vertex that moves most does, from one unit to another."""
BORDER_MM = 10.0
PURE, LEAST_MM = 0.65, 0.5


def action_unit(half: Half, name: str, person: Person) -> Float32[ndarray, " e"]:
    """Coefficients of a unit as that person makes it."""
    basis = load_head().head.expression_basis
    recipe = np.random.default_rng([*half.encode(), *name.encode()])
    eligible = _components(half)
    chosen = recipe.choice(eligible, size=min(3, len(eligible)), replace=False)
    coefficients = np.zeros(len(basis), dtype=np.float32)
    coefficients[chosen] = recipe.normal(size=len(chosen))
    habit = np.random.default_rng([person.seed, *half.encode(), *name.encode()])
    coefficients[chosen] += 0.2 * habit.normal(size=len(chosen))
    farthest = np.linalg.norm(np.tensordot(coefficients[chosen], basis[chosen], axes=1), axis=1).max()
    strength = recipe.uniform(*REACH_MM[half]) * habit.uniform(0.75, 1.2)
    return coefficients * np.float32(strength / farthest)


@cache
def _components(half: Half) -> tuple[int, ...]:
    """Components that move at least half a millimetre somewhere, most of it in that half."""
    model = load_head()
    energy = (model.head.expression_basis**2).sum(axis=2)[:, model.face]
    height = model.head.template[model.face, 1]
    part = height < 0 if half == "lower" else height > BORDER_MM
    share = energy[:, part].sum(axis=1) / energy.sum(axis=1)
    kept = (share > PURE) & (np.sqrt(energy.max(axis=1)) > LEAST_MM)
    return tuple(int(number) for number in np.flatnonzero(kept))
