"""Evaluation of a morphable model in torch: batched, differentiable, on any device."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.morphable.model import MorphableModel


class LinearFace(nn.Module):
    """Coefficients to vertices (paper A eq. 3): one matrix product over both bases."""

    template: Tensor
    basis: Tensor

    def __init__(self, model: MorphableModel) -> None:
        super().__init__()
        self.space = model.space
        self.identity_count = len(model.identity_basis)
        self.expression_count = len(model.expression_basis)
        identity = torch.from_numpy(model.identity_basis).flatten(1)
        expression = torch.from_numpy(model.expression_basis).flatten(1)
        self.register_buffer("template", torch.from_numpy(model.template).flatten(), persistent=False)
        self.register_buffer("basis", torch.cat([identity, expression]), persistent=False)

    def forward(self, identity: Float[Tensor, "b k"], expression: Float[Tensor, "b e"]) -> Float[Tensor, "b n 3"]:
        """Vertices in mm; raises `RuntimeError` when the coefficient counts are not the model's."""
        coefficients = torch.cat([identity, expression], dim=1)
        return torch.addmm(self.template, coefficients, self.basis).unflatten(1, (-1, 3))
