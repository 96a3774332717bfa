"""The numbers of one training run, its optimiser and its learning rate over time."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

OptimiserName = Literal["sgd", "adamw"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class Recipe:
    """`learning_rate` is the peak, reached after `warmup` (share of all steps), then a cosine to zero."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int
    optimiser: OptimiserName = "adamw"
    warmup: float = 0.1


def build_optimiser(module: nn.Module, recipe: Recipe) -> Optimizer:
    """SGD with Nesterov momentum .9, or AdamW; weight decay acts on kernels and matrices, not on biases and slopes."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, recipe.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, recipe.learning_rate)


def build_schedule(optimiser: Optimizer, steps: int, recipe: Recipe) -> LambdaLR:
    """One cycle over `steps` steps (Smith and Topin, 2018), without its momentum part."""
    return LambdaLR(optimiser, partial(rate_factor, steps=steps, warmup=recipe.warmup))


def rate_factor(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate at `step` (from 0): up along a line, down along a half cosine."""
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising)))
