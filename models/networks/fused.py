"""The three branches of paper A (equations 9-11) as one module, which is what is exported and served."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.networks.sphere20 import Sphere20


class FusedBranches(nn.Module):
    """f_x, f_y and f_z side by side; with `normalise` each deep normal pattern has unit length.

    Unit length makes the Euclidean distances of equations 12-14 a function of the angle, so that no axis outweighs the
    others in their mean (equation 15). Raises `ConfigurationError` when a branch takes other images than the first.
    """

    def __init__(self, branch_x: Sphere20, branch_y: Sphere20, branch_z: Sphere20, normalise: bool = True) -> None:
        super().__init__()
        for branch in (branch_x, branch_y, branch_z):
            if branch.shape != branch_x.shape or branch.shape.channels_in != 1:
                raise ConfigurationError(
                    f"fused branches: {branch.shape} does not fit {branch_x.shape}: use three alike with one channel"
                )
        self.branch_x = branch_x
        self.branch_y = branch_y
        self.branch_z = branch_z
        self.normalise = normalise
        self.image_size = branch_x.shape.image_size

    def forward(
        self, nx: Float[Tensor, "b 1 h w"], ny: Float[Tensor, "b 1 h w"], nz: Float[Tensor, "b 1 h w"]
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b d"], Float[Tensor, "b d"]]:
        """Embeddings per axis of normal images in the values of `preprocessing.scale_pixels`."""
        return self._finish(self.branch_x(nx)), self._finish(self.branch_y(ny)), self._finish(self.branch_z(nz))

    def _finish(self, embedding: Tensor) -> Tensor:
        return torch.nn.functional.normalize(embedding, dim=1) if self.normalise else embedding
