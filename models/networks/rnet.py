"""R-Net (Deng et al., CVPRW 2019; paper B, 3.2): one photo to the numbers of a face, its pose and its light."""

from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from models.networks.expnet import build_expnet
from models.networks.rnet_layout import RNetLayout


class RNetwork(nn.Module):
    """A residual network in two parts: pooled features, which C-Net looks at too, and the linear layer on them.

    `depth` 50 and `width` 1 are the papers'; 18 and .25 suit two CPU cores. See `build_expnet`, whose start near the
    mean face and whose `ConfigurationError` hold here too.
    """

    def __init__(self, depth: int = 50, width: float = 1.0, outputs: int = RNetLayout().size) -> None:
        super().__init__()
        self.trunk = build_expnet(depth, width, outputs)
        self.head = cast(nn.Linear, self.trunk.fc)
        self.trunk.fc = nn.Identity()

    @property
    def feature_count(self) -> int:
        """Length of a feature vector: 2,048 for ResNet-50."""
        return self.head.in_features

    def features(self, photos: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b f"]:
        """Pooled features of photos as `preprocessing.scale_pixels` gives them."""
        return self.trunk(photos)

    def forward(self, photos: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n"]:
        """Output vectors; `RNetLayout` gives them their meaning."""
        return self.head(self.features(photos))
