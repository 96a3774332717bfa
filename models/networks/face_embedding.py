"""A trained face recogniser as a fixed measure of likeness."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.networks.preprocessing import CENTRE, SCALE
from models.networks.sphere20 import Sphere20


class FrozenEmbedding(nn.Module):
    """The embeddings of `network`, for photos with values 0-1 of any size: differentiable in the photos alone.

    Photos are resized to what the network takes (all crops share one framing). Its weights are frozen, in place, and
    batch normalisation keeps its statistics whatever mode the loss around it is in.
    """

    def __init__(self, network: Sphere20) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> "FrozenEmbedding":  # noqa: ARG002
        """Stay in evaluation mode."""
        super().train(False)
        return self

    def forward(self, photos: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Embeddings, not normalised."""
        size = self.network.shape.image_size
        resized = functional.interpolate(photos, size, mode="bilinear", antialias=True, align_corners=False)
        return self.network((resized * 255 - CENTRE) / SCALE)
