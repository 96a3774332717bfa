"""Distances of 68 projected landmarks from the detected ones (paper B, 3.2: L_lan; Deng et al., CVPRW 2019, eq. 2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

NOSE_RIDGE = range(27, 31)
INNER_MOUTH = range(60, 68)
HEAVY = 20.0
REFERENCE_PX = 224
"""The side of the crops for which the published weight of this loss holds."""


class Landmarks68(nn.Module):
    """Squared distances in pixels of a 224-pixel crop, whatever the crop's own side `pixels`; points in iBUG's order.

    The ridge of the nose and the inner lips weigh 20, all others 1: the first fixes the pose, the second the mouth.
    """

    weights: Tensor

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.scale = REFERENCE_PX / pixels
        weights = torch.ones(68)
        weights[[*NOSE_RIDGE, *INNER_MOUTH]] = HEAVY
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, projected: Float[Tensor, "b 68 2"], detected: Float[Tensor, "b 68 2"]) -> Float[Tensor, ""]:
        """Weighted mean over points (divided by 68, as published) and batch."""
        squares = (self.scale * (projected - detected)).square().sum(2)
        return (squares * self.weights).mean()
