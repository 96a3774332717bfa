"""Pixel differences between a photo and its reconstruction (paper B, 3.2: L_photo; Deng et al., CVPRW 2019, eq. 1)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.losses.skin_colour import SkinAttention


class Photometric(nn.Module):
    """Mean colour distance over the pixels that the face covers, weighted by how much they look like skin."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = SkinAttention()

    def forward(
        self,
        rendered: Float[Tensor, "b 3 h w"],
        photos: Float[Tensor, "b 3 h w"],
        covered: Bool[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Weighted mean of Euclidean RGB distances (values 0-1) of each photo, then the mean of the batch.

        A photo of which nothing is covered gives 0.
        """
        weights = self.attention(photos) * covered
        # vector_norm, for its gradient at 0 is 0
        distance = torch.linalg.vector_norm(rendered - photos, dim=1)
        total = weights.sum((1, 2))
        return ((weights * distance).sum((1, 2)) / total.clamp(min=1e-6)).mean()
