"""The two kinds of loss and where they are found by name."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float, Int64
from torch import Tensor

from models.plugins import Catalogue


class HeadOutput(NamedTuple):
    """Mean loss of a batch, and how many of its samples score highest for their own class (no margin)."""

    loss: Float[Tensor, ""]
    correct: Int64[Tensor, ""]


@runtime_checkable
class IdentityHead(Protocol):
    """A classifier over embeddings with its loss; an `nn.Module`, having parameters of its own."""

    def __call__(self, embeddings: Float[Tensor, "b d"], labels: Int64[Tensor, " b"], progress: float) -> HeadOutput:
        """Loss at `progress`, the finished share (0-1) of training."""
        ...

    def reset_parameters(self) -> None:
        """Draw the classifier anew."""
        ...


CoefficientLoss = Callable[[Float[Tensor, "b k"], Float[Tensor, "b k"]], Float[Tensor, ""]]
"""(predicted, target) -> mean loss of the batch."""

heads: Catalogue[Callable[..., IdentityHead]] = Catalogue("identity head")
"""Builders `(embedding=, classes=, ...)`."""

objectives: Catalogue[Callable[..., CoefficientLoss]] = Catalogue("coefficient objective")
"""Builders; what they build is an `nn.Module`, so that its weights follow the network to its device."""
