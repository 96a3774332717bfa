"""What no linear basis holds: pores, wrinkles and bumps of one person's skin, the same in every scan of that person."""

from functools import cache

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

WAVES = 48
SHORTEST_MM, LONGEST_MM = 7.0, 22.0


def skin_relief(positions: Float32[ndarray, "n 3"], person_seed: int, amplitude_mm: float) -> Float32[ndarray, " n"]:
    """Displacement along the normal in mm: a random sum of plane waves over the template's positions.

    Standard deviation `amplitude_mm`; wavelengths between 7 and 22 mm.
    """
    rng = np.random.default_rng([person_seed, 0x5C1])
    weights = rng.normal(size=2 * WAVES) / np.sqrt(WAVES)
    return (_waves(positions.tobytes(), len(positions)) @ weights * amplitude_mm).astype(np.float32)


@cache
def _waves(raw: bytes, count: int) -> Float32[ndarray, "n 96"]:
    """Sines and cosines of fixed random waves; people differ only in their weights, so this is made once a process."""
    positions = np.frombuffer(raw, dtype=np.float32).reshape(count, 3)
    rng = np.random.default_rng(0x3E11EF)
    directions = rng.normal(size=(WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.exp(rng.uniform(np.log(SHORTEST_MM), np.log(LONGEST_MM), size=(WAVES, 1)))
    phase = positions @ (2 * np.pi * directions / lengths).T
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=1).astype(np.float32)
