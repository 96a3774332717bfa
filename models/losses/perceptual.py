"""Likeness in the eyes of a face recogniser (paper B, 3.2: L_per; Deng et al., CVPRW 2019, eq. 3)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Embedder = Callable[[Float[Tensor, "b 3 h w"]], Float[Tensor, "b d"]]
"""Photos with values 0-1 to embeddings of any length; frozen, and differentiable in the photos."""


class Perceptual(nn.Module):
    """One minus the cosine between the embeddings of a photo and of its reconstruction."""

    def __init__(self, embed: Embedder) -> None:
        super().__init__()
        self.embed = embed

    def forward(self, rendered: Float[Tensor, "b 3 h w"], photos: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Mean over the batch; the photo's embedding is a constant."""
        with torch.no_grad():
            wanted = self.embed(photos)
        return (1 - functional.cosine_similarity(self.embed(rendered), wanted, dim=1)).mean()
