"""Differences of style codes measured where they matter: on the surface that a decoder makes of them."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from models.losses.surface import SurfaceL2

STEP = 0.25
"""Standard deviations; the surface is almost linear over twice that, and rounding is far below it."""


class StyleMetric(nn.Module):
    """`SurfaceL2` as a quadratic form in the difference of two codes, with no surface to be built: mm^2.

    The decoder's derivative at the mean face pulls the surface's metric back to the codes: exact to the first order,
    and as cheap as a product with a matrix of the code's size.
    """

    gram: Tensor

    def __init__(self, gram: Float32[Tensor, "d d"]) -> None:
        super().__init__()
        self.register_buffer("gram", gram, persistent=False)

    def forward(self, difference: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
        """Mean over the batch."""
        difference = difference.float()
        return (difference @ self.gram * difference).sum(1).mean()


def pulled_back(
    decode: Callable[[Float32[Tensor, "b d"]], Float32[Tensor, "b n 3"]], size: int, surface: SurfaceL2, block: int = 16
) -> StyleMetric:
    """The metric of codes of `size` numbers that `surface` measures behind `decode`, by central differences."""
    device = surface.areas.device
    places, turns = [], []
    with torch.no_grad():
        for steps in (STEP * torch.eye(size, device=device)).split(block):
            ahead, behind = decode(steps), decode(-steps)
            places.append((ahead - behind).flatten(1) / (2 * STEP))
            turned = (surface.normals(ahead) - surface.normals(behind)) * surface.areas.sqrt()[:, None]
            turns.append(turned.flatten(1) / (2 * STEP))
        moved, turned = torch.cat(places), torch.cat(turns)
        vertices = moved.shape[1] // 3
        return StyleMetric(moved @ moved.T / vertices + surface.normal_weight * turned @ turned.T)


def spread(codes: Float[Tensor, "b d"], groups: Int64[Tensor, " b"]) -> Float[Tensor, "b d"]:
    """How far each code is from the mean of its group: nothing where all views of a group agree."""
    _, owner, counts = groups.unique(return_inverse=True, return_counts=True)
    sums = torch.zeros(len(counts), codes.shape[1], dtype=codes.dtype, device=codes.device)
    means = sums.index_add(0, owner, codes) / counts[:, None]
    return codes - means[owner]
