"""Inversion: aligned photo to style code, guided by the pose of the head."""

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from models.networks.expnet import POSE_NUMBERS, build_expnet


class StyleEncoder(nn.Module):
    """A residual network, a head for the pose, and one for the code that is told the pose.

    What a photo shows of a face depends on where it looks: the pose scales and shifts the features before the code is
    read off them. `code` is the length of a style code; `depth` and `width` are those of `build_expnet`.
    """

    def __init__(self, depth: int, width: float, code: int, hidden: int = 64) -> None:
        super().__init__()
        self.code = code
        self.backbone = build_expnet(depth, width, 1)
        features = self.backbone.get_submodule("fc").get_parameter("weight").shape[1]
        self.backbone.fc = nn.Identity()
        self.pose_head = nn.Linear(features, POSE_NUMBERS)
        self.guide = nn.Sequential(nn.Linear(POSE_NUMBERS, hidden), nn.SiLU(), nn.Linear(hidden, 2 * features))
        self.code_head = nn.Linear(features, code)
        for layer in (self.pose_head, self.code_head, self.guide[-1]):
            nn.init.normal_(layer.get_parameter("weight"), std=1e-3)
            nn.init.zeros_(layer.get_parameter("bias"))

    def forward(
        self, photos: Float32[Tensor, "b 3 h w"], pose: Float[Tensor, "b 6"] | None = None
    ) -> Float[Tensor, "b k"]:
        """Code, then pose in the units of `CoefficientLayout`, of photos as `scale_pixels` gives them.

        Where `pose` is given and finite it guides the code; elsewhere the network's own estimate does.
        """
        features = self.backbone(photos)
        estimate = self.pose_head(features)
        guide = estimate.detach()
        if pose is not None:
            guide = torch.where(pose.isfinite(), pose, guide)
        scale, shift = self.guide(guide).chunk(2, dim=1)
        return torch.cat([self.code_head(features * (1 + scale) + shift), estimate], dim=1)

    def split(self, outputs: Float[Tensor, "b k"]) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b 6"]]:
        """Code and pose."""
        code, pose = outputs.split([self.code, POSE_NUMBERS], dim=1)
        return code, pose
