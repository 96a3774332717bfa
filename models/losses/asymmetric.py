"""The asymmetric Euclidean loss of Tran, Hassner, Masi and Medioni (CVPR 2017, section 3.2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.losses.catalogue import objectives


@objectives.add("asymmetric")
class AsymmetricEuclidean(nn.Module):
    """Squared difference, weighted by whether a coefficient falls short of its target's size or exceeds it.

    A prediction nearer the mean face than its target (`under`) costs three times one beyond it (`over`) in the paper,
    against the pull of plain L2 towards the mean.
    """

    def __init__(self, over: float = 1.0, under: float = 3.0) -> None:
        super().__init__()
        self.over = over
        self.under = under

    def forward(self, predicted: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
        """Mean over batch and coefficients; equal to the paper's two-term form for every target other than 0."""
        short = predicted * target.sign() < target.abs()
        weights = torch.where(short, self.under, self.over)
        return (weights * (predicted - target).square()).mean()
