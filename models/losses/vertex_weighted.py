"""Coefficient differences measured where they matter: as displacement of the surface."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn

from models.losses.catalogue import objectives


@objectives.add("vertex_weighted_l2")
class VertexWeightedL2(nn.Module):
    """Mean squared vertex displacement (mm^2) that a coefficient error causes, without building the mesh.

    `basis` (three rows a vertex, one column a coefficient, mm per unit) moves vertices by `basis @ difference`, so the
    loss is a quadratic form in its Gram matrix: exact also where identity and expression are not orthogonal. Outputs
    after the basis' columns (pose) are weighted one by one by `extra_weights`, mm^2 per squared unit.
    """

    def __init__(self, basis: Float32[ndarray, "rows k"], extra_weights: Float32[ndarray, " p"] | None = None) -> None:
        super().__init__()
        wide = basis.astype(np.float64)
        gram = torch.from_numpy((wide.T @ wide / (len(basis) // 3)).astype(np.float32))
        extra = torch.zeros(0) if extra_weights is None else torch.from_numpy(extra_weights)
        self.register_buffer("gram", torch.block_diag(gram, torch.diag(extra)), persistent=False)

    def forward(self, predicted: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
        """Mean over the batch, mm^2."""
        difference = (predicted - target).float()
        return (difference @ self.get_buffer("gram") * difference).sum(1).mean()
