"""Skin of one colour: what is light shall not be painted on (paper B, 3.2: L_tex; Deng et al., CVPRW 2019, 3.2.1)."""

import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn


class TextureVariance(nn.Module):
    """Variance of the albedo over the vertices of a skin region, summed over red, green and blue.

    `region` weighs the vertices, 0-1: cheeks, nose and forehead.
    """

    shares: Tensor

    def __init__(self, region: Float32[ndarray, " n"]) -> None:
        super().__init__()
        weights = torch.from_numpy(region)
        self.register_buffer("shares", weights / weights.sum(), persistent=False)

    def forward(self, albedo: Float[Tensor, "b n 3"]) -> Float[Tensor, ""]:
        """Mean over the batch."""
        mean = torch.einsum("n,bnc->bc", self.shares, albedo)
        return torch.einsum("n,bnc->b", self.shares, (albedo - mean[:, None]).square()).mean()
