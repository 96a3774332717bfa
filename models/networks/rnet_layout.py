"""How the 257 numbers of R-Net stand in one output vector, and what they mean."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor

from models.errors import ConfigurationError
from models.types import Coefficients, Pose

ANGLES, LIGHT, TRANSLATION = 3, 27, 3
USUAL_LIGHT = (1.9, 0.15, 0.55, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Harmonics of the light that outputs of 0 stand for: grey, from the front and a little from above."""


class RNetParts(NamedTuple):
    """Network outputs by meaning, in the public order, still in network units."""

    identity: Float[Tensor, "b k"]
    expression: Float[Tensor, "b e"]
    texture: Float[Tensor, "b t"]
    angles: Float[Tensor, "b 3"]
    light: Float[Tensor, "b 27"]
    translation: Float[Tensor, "b 3"]


class FaceParameters(NamedTuple):
    """One face a row, in physical units: coefficients in standard deviations, radians, harmonics of light, mm."""

    identity: Float[Tensor, "b k"]
    expression: Float[Tensor, "b e"]
    texture: Float[Tensor, "b t"]
    angles_rad: Float[Tensor, "b 3"]
    light: Float[Tensor, "b 9 3"]
    translation_mm: Float[Tensor, "b 3"]


@dataclass(frozen=True)
class RNetLayout:
    """Identity, expression, texture, pitch yaw roll, light (nine harmonics of red, of green, of blue), x y z.

    Coefficients are in standard deviations already; the rest is divided by a typical size, so that each output is of
    order one, and outputs of 0 mean the mean face, upright, `usual_distance_mm` from the camera, in `USUAL_LIGHT`.
    """

    identity: int = 80
    expression: int = 64
    texture: int = 80
    angle_scale_rad: float = 0.35
    light_scale: float = 0.3
    translation_scale_mm: float = 20.0
    usual_distance_mm: float = 1024.0

    @property
    def size(self) -> int:
        """Length of an output vector."""
        return self.identity + self.expression + self.texture + ANGLES + LIGHT + TRANSLATION

    @property
    def label_size(self) -> int:
        """Length of a label: what is known of a face whose shape and pose are."""
        return self.identity + self.expression + ANGLES + TRANSLATION

    def split(self, outputs: Float[Tensor, "b n"]) -> RNetParts:
        """Views of `outputs` by meaning."""
        sizes = [self.identity, self.expression, self.texture, ANGLES, LIGHT, TRANSLATION]
        return RNetParts(*outputs.split(sizes, dim=1))

    def decode(self, outputs: Float[Tensor, "b n"]) -> FaceParameters:
        """The faces, poses and lights that `outputs` stand for."""
        parts = self.split(outputs)
        light = parts.light.unflatten(1, (3, 9)).transpose(1, 2) * self.light_scale
        shift = parts.translation * self.translation_scale_mm
        return FaceParameters(
            parts.identity,
            parts.expression,
            parts.texture,
            parts.angles * self.angle_scale_rad,
            light + light.new_tensor(USUAL_LIGHT)[:, None],
            shift - shift.new_tensor([0.0, 0.0, self.usual_distance_mm]),
        )

    def with_identity(self, outputs: Float[Tensor, "b n"], identity: Float[Tensor, "b k"]) -> Float[Tensor, "b n"]:
        """`outputs` with other identity coefficients."""
        return torch.cat([identity, outputs[:, self.identity :]], dim=1)

    def labelled(self, outputs: Float[Tensor, "b n"]) -> Float[Tensor, "b l"]:
        """The outputs that a label speaks of, in its order: identity, expression, angles, translation."""
        parts = self.split(outputs)
        return torch.cat([parts.identity, parts.expression, parts.angles, parts.translation], dim=1)

    def label(self, coefficients: Coefficients) -> Float32[ndarray, " l"]:
        """Training target of a face with known shape and pose; else `ConfigurationError`. See `labelled`."""
        have = (len(coefficients.identity), len(coefficients.expression))
        pose = coefficients.pose
        if have != (self.identity, self.expression) or pose is None:
            raise ConfigurationError(
                f"coefficients {have} in {coefficients.space!r} with pose {pose} do not fit the layout "
                f"{(self.identity, self.expression)} with pose: truncate them to it"
            )
        return np.concatenate([coefficients.identity, coefficients.expression, *self._pose(pose)]).astype(np.float32)

    def pack(self, coefficients: Coefficients) -> Float32[ndarray, " n"]:
        """The output vector of a face of which everything is known; else `ConfigurationError`."""
        shape = self.label(coefficients)
        texture, light, pose = coefficients.texture, coefficients.light, coefficients.pose
        if texture is None or len(texture) != self.texture or light is None or pose is None:
            raise ConfigurationError(
                f"coefficients in {coefficients.space!r} lack light or {self.texture} texture components"
            )
        angles, translation = self._pose(pose)
        harmonics = (light - np.array(USUAL_LIGHT)[:, None]).T.ravel() / self.light_scale
        count = self.identity + self.expression
        return np.concatenate([shape[:count], texture, angles, harmonics, translation]).astype(np.float32)

    def unpack(self, vector: Float32[ndarray, " n"], space: str) -> Coefficients:
        """The face one output vector stands for, in the morphable model `space`; the inverse of `pack`."""
        face = self.decode(torch.from_numpy(vector.astype(np.float64))[None])
        pitch, yaw, roll = (float(angle) for angle in face.angles_rad[0].rad2deg())
        x, y, z = (float(shift) for shift in face.translation_mm[0])
        identity, expression, texture, light = (
            part[0].numpy().astype(np.float32) for part in (face.identity, face.expression, face.texture, face.light)
        )
        return Coefficients(space, identity, expression, texture, light, Pose(pitch, yaw, roll, (x, y, z)))

    def _pose(self, pose: Pose) -> tuple[ndarray, ndarray]:
        angles = np.radians([pose.pitch_deg, pose.yaw_deg, pose.roll_deg]) / self.angle_scale_rad
        x, y, z = pose.translation_mm
        return angles, np.array([x, y, z + self.usual_distance_mm]) / self.translation_scale_mm
