"""C-Net (Deng et al., CVPRW 2019, section 4; paper B, 3.2): how far each photo is to be trusted on each coefficient.

It was never released; its authors call it a small gain over the plain mean, which therefore stands beside it.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

LEAST = 1e-3
"""Added to every confidence, so that a set of photos never has a sum of zero."""


class CNet(nn.Module):
    """R-Net's pooled features of a photo to a positive confidence in each of its identity coefficients.

    The last layer starts at zero: all photos are then trusted alike, and training starts from the plain mean.
    """

    def __init__(self, features: int, identity: int = 80, hidden: int = 256) -> None:
        super().__init__()
        self.inner = nn.Linear(features, hidden)
        self.outer = nn.Linear(hidden, identity)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, features: Float[Tensor, "*b f"]) -> Float[Tensor, "*b k"]:
        """Confidences; only their ratios between photos of one person matter."""
        return functional.softplus(self.outer(functional.relu(self.inner(features)))) + LEAST


def confident_mean(identity: Float[Tensor, "s v k"], confidence: Float[Tensor, "s v k"]) -> Float[Tensor, "s k"]:
    """alpha_aggr = sum(c * alpha) / sum(c), element by element, over the `v` photos of each of `s` people."""
    return (confidence * identity).sum(1) / confidence.sum(1)


def plain_mean(identity: Float[Tensor, "s v k"]) -> Float[Tensor, "s k"]:
    """What C-Net is measured against."""
    return torch.mean(identity, dim=1)
