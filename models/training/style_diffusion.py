"""Training of the style-code denoiser."""

from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64
from numpy import ndarray
from torch import Tensor

from models.errors import ConfigurationError
from models.networks.texface.denoiser import Conditions, StyleDenoiser, fixed_numbers
from models.networks.texface.diffusion import TIMES, noised, velocity
from models.training.batching import SeededBatches
from models.training.recipe import Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.steps import describe_steps, fit_steps

LONGEST_GRADIENT = 1.0


class DescribedCodes(NamedTuple):
    """Codes of faces, how much (0-1) of each expression they show, and the word numbers that describe the person.

    `importance` is what each number of a code counts in the loss: codes have numbers of unit size that hardly move the
    surface, and many of them.
    """

    codes: Float32[ndarray, "n d"]
    expression: Float32[ndarray, "n e"]
    words: Int64[ndarray, "n s"]
    importance: Float32[ndarray, " d"]


class DescribedBatch(NamedTuple):
    """Some of them."""

    codes: Float32[Tensor, "b d"]
    expression: Float32[Tensor, "b e"]
    words: Int64[Tensor, "b s"]


def fit_style_denoiser(
    denoiser: StyleDenoiser,
    faces: DescribedCodes,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    forget: float = 0.15,
    keep_identity: float = 0.5,
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `denoiser` (in place) to predict velocities at random times.

    With the chance `forget` conditions are left out (see `Conditions.dropped`), with the chance `keep_identity` the
    identity comes clean and only the expression is learnt. See `run_epochs` for resuming. Raises `ConfigurationError`
    when the codes are not of the denoiser's length.
    """
    if faces.codes.shape[1] != denoiser.shape.identity + denoiser.shape.expression:
        raise ConfigurationError(
            f"style denoiser: codes of {faces.codes.shape[1]} numbers for {denoiser.shape.identity} + "
            f"{denoiser.shape.expression}: train it on codes of its own style space"
        )
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed)
    run = describe_steps(denoiser, recipe, {"forget": forget, "keep identity": keep_identity}, faces._asdict())

    importance = torch.from_numpy(faces.importance)

    def gather(rows: Int64[ndarray, " b"]) -> DescribedBatch:
        return DescribedBatch(*(torch.from_numpy(column[rows]) for column in faces[:3]))

    def step(batch: DescribedBatch, generator: torch.Generator) -> Tensor:
        keeps = torch.rand(len(batch.codes), generator=generator, device=generator.device) < keep_identity
        asked = Conditions(batch.expression, batch.words, keeps).dropped(forget, generator)
        return denoising_loss(denoiser, batch.codes, asked, importance.to(batch.codes.device), generator)

    return fit_steps(
        denoiser,
        step,
        gather,
        SeededBatches(len(faces.codes), batch_size, seed),
        recipe,
        run,
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        device=device,
        longest_gradient=LONGEST_GRADIENT,
        should_stop=should_stop,
    )


def denoising_loss(
    denoiser: StyleDenoiser,
    codes: Float32[Tensor, "b d"],
    asked: Conditions,
    importance: Float32[Tensor, " d"],
    generator: torch.Generator,
) -> Float32[Tensor, ""]:
    """Mean squared error of the velocity at times drawn for each code, over the numbers that carry noise, each
    weighted by its `importance`. Whoever predicts nothing loses about 1.
    """
    times = torch.randint(TIMES, (len(codes),), generator=generator, device=codes.device)
    noise = torch.randn(codes.shape, generator=generator, device=codes.device)
    fixed = fixed_numbers(asked.keeps_identity, denoiser.shape)
    seen = torch.where(fixed, codes, noised(codes, noise, times))
    missed = (denoiser(seen, times, asked).float() - velocity(codes, noise, times)).square()
    weights = importance.masked_fill(fixed, 0.0)
    return (weights * missed).sum() / weights.sum()
