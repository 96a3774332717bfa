"""Generative augmentation (Shen et al., AAAI 2024): more faces of the person in each photo, with other expressions."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from models.morphable.descriptions import draw_intensities
from models.reconstructors.texface import TexFace
from models.reconstructors.texface_generation import generate_expressions
from models.types import Coefficients

BLOCK = 64


def generated_codes(
    model: TexFace, given: Sequence[Coefficients], count: int, seed: int, device: torch.device
) -> Iterator[Coefficients]:
    """`count` more faces for each of `given`, one photo's after the other's: same identity and pose, new expressions.

    Neutral and the six expressions are asked for alike, at four intensities. The same `given`, `count` and `seed` give
    the same faces. Raises `AssetMissing` when `model` has no diffusion, `ConfigurationError` on another model's codes.
    """
    rng = np.random.default_rng(seed)
    asked = draw_intensities(rng, len(given) * count).reshape(len(given), count, -1)
    for start in range(0, len(given), BLOCK):
        rows = slice(start, start + BLOCK)
        for made in generate_expressions(model, given[rows], asked[rows], rng, device):
            yield from made


def generated_faces(
    model: TexFace, given: Sequence[Coefficients], count: int, seed: int, device: torch.device
) -> Iterator[Float32[ndarray, "n 3"]]:
    """Vertices (mm, face frame, on the mesh of `model.face`) of `generated_codes`; memory does not grow with them."""
    return model.vertices(list(generated_codes(model, given, count, seed, device)), device)
