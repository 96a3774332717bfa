"""The style-code diffusion of TEx-Face: its training on codes of the face world, and its error on other people's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from models.morphable.descriptions import words_of
from models.networks.texface.denoiser import Conditions, DenoiserShape, StyleDenoiser
from models.training.rows import EpochRow, OnEpoch
from models.training.safetensor_files import save_weights
from models.training.style_diffusion import DescribedCodes, denoising_loss, fit_style_denoiser
from tasks.build_styled import load_style_space, load_styled_faces
from tasks.files import write_json

ROUNDS = 8
"""How often the held-out codes are noised, each time otherwise."""


def fit_denoiser(
    folder: Path,
    scratch: Path,
    on_epoch: OnEpoch,
    *,
    space: Path,
    faces: Sequence[Path],
    unseen: Sequence[Path],
    shape: DenoiserShape,
    numbers: Mapping[str, Any],
    seed: int,
    device: torch.device,
) -> Sequence[EpochRow]:
    """Write the denoiser as `load_texface` reads it, and `error.json`; `faces` are shards of `build_styled_faces`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        denoiser = StyleDenoiser(shape)
    result = fit_style_denoiser(
        denoiser,
        described(faces, space),
        **numbers,
        seed=seed,
        checkpoint_dir=scratch,
        on_epoch=on_epoch,
        device=device,
    )
    write_json(folder / "denoiser.json", asdict(shape))
    save_weights(folder / "denoiser.safetensors", denoiser)
    write_json(folder / "error.json", {"velocity": _error(denoiser, described(unseen, space), seed, device)})
    return result.history


def described(shards: Sequence[Path], space: Path) -> DescribedCodes:
    """Codes of faces with what can be said of them, each number counting as much as it moves the surface."""
    codes, drawn = load_styled_faces(shards)
    return DescribedCodes(codes, drawn.intensities, words_of(drawn.attributes), load_style_space(space).importance)


def _error(denoiser: StyleDenoiser, unseen: DescribedCodes, seed: int, device: torch.device) -> float:
    """Mean squared error of the velocity, everything being told; every other identity is known. Untrained: about 1."""
    denoiser = denoiser.to(device).eval()
    codes, expression, words, importance = (torch.from_numpy(column).to(device) for column in unseen)
    asked = Conditions(expression, words, torch.arange(len(codes), device=device) % 2 == 0)
    generator = torch.Generator(device).manual_seed(seed)
    with torch.inference_mode():
        losses = [denoising_loss(denoiser, codes, asked, importance, generator) for _ in range(ROUNDS)]
    return float(torch.stack(losses).mean())
