"""Mean squared difference of coefficients, ExpNet's own loss (Chang et al., 2018)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.losses.catalogue import objectives


@objectives.add("l2")
class L2(nn.Module):
    """Every coefficient counts the same; predictions drift towards the mean face."""

    def forward(self, predicted: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
        """Mean over batch and coefficients."""
        return functional.mse_loss(predicted, target)
