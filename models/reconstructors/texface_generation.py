"""What TEx-Face makes without a photo: new expressions of a known person, and new people by description."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray
from torch import Tensor

from models.errors import AssetMissing
from models.morphable.descriptions import UNKNOWN, VOCABULARY
from models.networks.texface.denoiser import Conditions, StyleDenoiser, fixed_numbers, guided
from models.networks.texface.diffusion import sample
from models.reconstructors.texface import TexFace
from models.types import Coefficients

BLOCK = 256


class Sampling(NamedTuple):
    """How codes are drawn: steps of the diffusion, and how strongly the conditions are heeded (1: as learnt)."""

    steps: int = 15
    guidance: float = 1.0


def generate_expressions(
    model: TexFace,
    given: Sequence[Coefficients],
    intensities: Float32[ndarray, "n k 6"],
    rng: np.random.Generator,
    device: torch.device,
    sampling: Sampling = Sampling(),  # noqa: B008 - immutable
) -> list[list[Coefficients]]:
    """`k` more scans of each person, with the expressions that `intensities` ask for (see `draw_intensities`).

    The identity part of each code stays as it is; the diffusion draws the expression part. All noise comes
    from `rng`, face after face: neither the device nor who else is asked for matters. The pose is that of the photo.
    Raises `AssetMissing` when `model` has no denoiser.
    """
    count = intensities.shape[1]
    codes = np.repeat(model.codes(given), count, axis=0)
    asked = Conditions(
        torch.from_numpy(intensities.reshape(len(codes), -1)),
        torch.full((len(codes), len(VOCABULARY)), UNKNOWN),
        torch.ones(len(codes), dtype=torch.bool),
    )
    made = _denoised(_require_denoiser(model), codes, asked, rng, device, sampling)
    own = model.decoder.shape.identity
    return [
        [Coefficients(model.space, each.identity, row[own:].copy(), pose=each.pose) for row in rows]
        for each, rows in zip(given, made.reshape(len(given), count, -1), strict=True)
    ]


def generate_people(
    model: TexFace,
    words: Int64[ndarray, "n 4"],
    intensities: Float32[ndarray, "n 6"],
    rng: np.random.Generator,
    device: torch.device,
    sampling: Sampling = Sampling(),  # noqa: B008 - immutable
) -> list[Coefficients]:
    """New faces by description (see `read_words`) and expression, a row each; NaN leaves the expression open.

    Noise as in `generate_expressions`. Raises `AssetMissing` when `model` has no denoiser.
    """
    codes = np.zeros((len(words), model.decoder.shape.code), dtype=np.float32)
    asked = Conditions(torch.from_numpy(intensities), torch.from_numpy(words), torch.zeros(len(words)).bool())
    made = _denoised(_require_denoiser(model), codes, asked, rng, device, sampling)
    own = model.decoder.shape.identity
    return [Coefficients(model.space, row[:own].copy(), row[own:].copy()) for row in made]


def _denoised(
    denoiser: StyleDenoiser,
    codes: Float32[ndarray, "n d"],
    asked: Conditions,
    rng: np.random.Generator,
    device: torch.device,
    sampling: Sampling,
) -> Float32[ndarray, "n d"]:
    denoiser = denoiser.to(device).eval()
    noise = torch.from_numpy(rng.standard_normal(codes.shape, dtype=np.float32))
    fixed = fixed_numbers(asked.keeps_identity, denoiser.shape)
    start = torch.where(fixed, torch.from_numpy(codes), noise)
    made: list[Tensor] = []
    for rows in torch.arange(len(codes)).split(BLOCK):
        here, clean = start[rows].to(device), fixed[rows].to(device)
        made.append(_denoised_block(denoiser, here, clean, asked.rows(rows, device), sampling))
    return torch.cat(made).numpy()


def _denoised_block(
    denoiser: StyleDenoiser,
    start: Float32[Tensor, "b d"],
    fixed: Bool[Tensor, "b d"],
    asked: Conditions,
    sampling: Sampling,
) -> Float32[Tensor, "b d"]:
    def predict(codes: Tensor, times: Tensor) -> Tensor:
        return guided(denoiser, codes, times, asked, sampling.guidance)

    with torch.inference_mode():
        return sample(predict, start, fixed, sampling.steps).float().cpu()


def _require_denoiser(model: TexFace) -> StyleDenoiser:
    if model.denoiser is None:
        raise AssetMissing("TEx-Face: this one holds no style-code diffusion; train it with the denoiser to generate")
    return model.denoiser
