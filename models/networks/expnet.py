"""Coefficient regressor in the manner of ExpNet (Chang et al., FG 2018) and its shape twin (Tran et al., CVPR 2017).

One residual network (He et al., 2016; MONAI's implementation) regresses identity, expression and pose together, where
the originals train a ResNet-101 for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.types import Coefficients, Pose

LAYERS = {18: ("basic", (2, 2, 2, 2)), 50: ("bottleneck", (3, 4, 6, 3)), 101: ("bottleneck", (3, 4, 23, 3))}
POSE_NUMBERS = 6


def build_expnet(depth: int, width: float, outputs: int) -> nn.Module:
    """A residual network from RGB photos (b, 3, h, w), scaled by `scale_pixels`, to (b, outputs).

    `depth` 101 and `width` 1 are the papers'; 18 and .3 (about a million parameters) suit two CPU cores. The last layer
    starts near zero, so that training starts from the mean face. Raises `ConfigurationError` on another depth.
    """
    if depth not in LAYERS:
        raise ConfigurationError(f"no regressor of depth {depth}: choose one of {sorted(LAYERS)}")
    from monai.networks.nets.resnet import ResNet  # here, since importing it takes seconds

    block, layers = LAYERS[depth]
    network = ResNet(
        block=block,
        layers=list(layers),
        block_inplanes=[64, 128, 256, 512],
        spatial_dims=2,
        n_input_channels=3,
        conv1_t_size=7,
        conv1_t_stride=2,
        bias_downsample=False,  # a bias before batch normalisation has no effect and no gradient
        widen_factor=width,
        num_classes=outputs,
    )
    if network.fc is not None:
        nn.init.normal_(network.fc.weight, std=1e-3)
    return network


class CoefficientParts(NamedTuple):
    """Network outputs by meaning, still in network units."""

    identity: Float[Tensor, "b k"]
    expression: Float[Tensor, "b e"]
    pose: Float[Tensor, "b 6"]


@dataclass(frozen=True)
class CoefficientLayout:
    """How coefficients stand in one output vector: identity, expression, then pitch, yaw, roll, x, y, z.

    Coefficients are in standard deviations already; pose is divided by a typical size so that each output is of
    order one: angles (radians) by `angle_scale_rad`, translation by `translation_scale_mm`.
    """

    identity: int = 99
    expression: int = 29
    angle_scale_rad: float = 0.35
    translation_scale_mm: float = 20.0

    @property
    def size(self) -> int:
        """Length of an output vector."""
        return self.identity + self.expression + POSE_NUMBERS

    def split(self, outputs: Float[Tensor, "b n"]) -> CoefficientParts:
        """Views of `outputs` by meaning."""
        identity, expression, pose = outputs.split([self.identity, self.expression, POSE_NUMBERS], dim=1)
        return CoefficientParts(identity, expression, pose)

    def pack(self, coefficients: Coefficients) -> Float32[ndarray, " n"]:
        """Training target of one face; raises `ConfigurationError` on coefficients of other lengths or without pose."""
        have = (len(coefficients.identity), len(coefficients.expression))
        if have != (self.identity, self.expression) or coefficients.pose is None:
            raise ConfigurationError(
                f"coefficients {have} in {coefficients.space!r} with pose {coefficients.pose} do not fit the layout "
                f"{(self.identity, self.expression)} with pose: truncate them to it"
            )
        pose = coefficients.pose
        angles = np.radians([pose.pitch_deg, pose.yaw_deg, pose.roll_deg]) / self.angle_scale_rad
        translation = np.asarray(pose.translation_mm) / self.translation_scale_mm
        parts: Sequence[ndarray] = (coefficients.identity, coefficients.expression, angles, translation)
        return np.concatenate(parts).astype(np.float32)

    def unpack(self, vector: Float32[ndarray, " n"], space: str) -> Coefficients:
        """The face one output vector stands for, in the morphable model `space`; the inverse of `pack`."""
        identity, expression, pose = np.split(vector, [self.identity, self.identity + self.expression])
        pitch, yaw, roll = (float(angle) for angle in np.degrees(pose[:3].astype(np.float64) * self.angle_scale_rad))
        x, y, z = (float(shift) for shift in pose[3:].astype(np.float64) * self.translation_scale_mm)
        return Coefficients(space, identity.copy(), expression.copy(), pose=Pose(pitch, yaw, roll, (x, y, z)))
