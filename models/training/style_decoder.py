"""Training of a style decoder on surfaces whose codes are known."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray
from torch import Tensor

from models.errors import ConfigurationError
from models.losses.surface import SurfaceL2
from models.networks.texface.decoder import StyleDecoder
from models.training.batching import SeededBatches
from models.training.recipe import Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.steps import describe_steps, fit_steps

LONGEST_GRADIENT = 1.0
"""Several times the usual length."""

Surfaces = Callable[[Int64[ndarray, " b"], Bool[ndarray, " b"]], Float32[ndarray, "b n 3"]]
"""(rows, which of them mirrored) -> true vertices, mm, face frame, on the decoder's mesh."""


class CodedFaces(NamedTuple):
    """Faces to decode: the code of each, what mirroring does to the numbers of a code, and where the surfaces are."""

    codes: Float32[ndarray, "n d"]
    signs: Float32[ndarray, " d"]
    surfaces: Surfaces


class SurfaceBatch(NamedTuple):
    """Codes and the surfaces they stand for."""

    codes: Float32[Tensor, "b d"]
    vertices: Float32[Tensor, "b n 3"]


def fit_style_decoder(
    decoder: StyleDecoder,
    loss: SurfaceL2,
    faces: CodedFaces,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    mirror: float = 0.5,
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `decoder` (in place); a face is mirrored with the chance `mirror`, another draw each epoch.

    The surfaces are made as they are needed: thousands of faces take no room. See `run_epochs` for resuming. Raises
    `ConfigurationError` when the codes are not of the decoder's length.
    """
    if faces.codes.shape[1] != decoder.shape.code:
        raise ConfigurationError(
            f"style decoder: codes of {faces.codes.shape[1]} numbers, it takes {decoder.shape.code}: fit the style "
            "space with the decoder's own numbers"
        )
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed)
    settings = {"mirror": mirror, "normal weight": loss.normal_weight}
    run = describe_steps(decoder, recipe, settings, {"codes": faces.codes, "signs": faces.signs})
    order = SeededBatches(len(faces.codes), batch_size, seed)
    loss.to(device)

    def gather(rows: Int64[ndarray, " b"]) -> SurfaceBatch:
        turned = np.random.default_rng([seed, order.epoch, int(rows[0])]).random(len(rows)) < mirror
        codes = np.where(turned[:, None], faces.codes[rows] * faces.signs, faces.codes[rows])
        return SurfaceBatch(torch.from_numpy(codes), torch.from_numpy(faces.surfaces(rows, turned)))

    def step(batch: SurfaceBatch, generator: torch.Generator) -> Tensor:  # noqa: ARG001
        return loss(decoder(batch.codes).float(), batch.vertices)

    return fit_steps(
        decoder,
        step,
        gather,
        order,
        recipe,
        run,
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        device=device,
        longest_gradient=LONGEST_GRADIENT,
        should_stop=should_stop,
    )
