"""What makes two training runs the same run."""

import hashlib
from dataclasses import asdict
from typing import Any

from numpy import ndarray
from torch import nn

from models.training.augmentation import Augmentation
from models.training.recipe import Recipe
from models.training.safetensor_files import tensors_digest
from models.training.shards import ByteStack


def describe_run(
    network: nn.Module,
    recipe: Recipe,
    stack: ByteStack,
    targets: ndarray,
    *,
    axis: int | None,
    head: nn.Module,
    augment: Augmentation,
) -> dict[str, Any]:
    """Plain values that must all agree before a checkpoint is resumed.

    Shards count by file name (those of the store carry their content's hash), not by their bytes: hashing a data set
    would cost more than an epoch of reading it.
    """
    return {
        "recipe": asdict(recipe),
        "axis": axis,
        "augmentation": repr(augment),
        "loss": f"{head} {sorted(_numbers(head).items())}",
        "images": [[path.name for path in stack.paths], list(stack.image_shape), len(stack)],
        "targets": hashlib.sha256(targets.tobytes()).hexdigest(),
        "initial weights": tensors_digest(network.state_dict()),
    }


def _numbers(module: nn.Module) -> dict[str, float]:
    """Settings such as scale and margin, which a module's printed form leaves out."""
    return {name: value for name, value in vars(module).items() if isinstance(value, float)}
