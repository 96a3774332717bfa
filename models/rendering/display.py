"""From light to the numbers of a photo."""

import torch
from jaxtyping import Float
from torch import Tensor

LINEAR_BELOW = 0.0031308
SLOPE = 12.92
POWER = 2.4
OFFSET = 0.055


def srgb(light: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Linear light to sRGB values (IEC 61966-2-1), 0-1 to 0-1.

    Neither clipped above 1 nor below 0, where the curve goes on as a line: a face rendered too bright or too dark still
    has a gradient that says so.
    """
    curved = (1 + OFFSET) * light.clamp(min=LINEAR_BELOW) ** (1 / POWER) - OFFSET
    return torch.where(light <= LINEAR_BELOW, SLOPE * light, curved)
