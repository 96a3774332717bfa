"""Coefficients kept near the mean face (paper B, 3.2: L_coef; Deng et al., CVPRW 2019, section 3.2.1)."""

from jaxtyping import Float
from torch import Tensor, nn


class CoefficientPrior(nn.Module):
    """Weighted squared lengths of the coefficient vectors, which are in standard deviations; published weights."""

    def __init__(self, identity: float = 1.0, expression: float = 0.8, texture: float = 1.7e-3) -> None:
        super().__init__()
        self.identity = identity
        self.expression = expression
        self.texture = texture

    def forward(
        self, identity: Float[Tensor, "b k"], expression: Float[Tensor, "b e"], texture: Float[Tensor, "b t"]
    ) -> Float[Tensor, ""]:
        """Mean over the batch."""
        parts = ((self.identity, identity), (self.expression, expression), (self.texture, texture))
        return sum((weight * values.square().sum(1).mean() for weight, values in parts), identity.new_zeros(()))
