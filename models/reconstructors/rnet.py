"""R-Net as a reconstructor: aligned crops in; coefficients with texture, light, pose, and meshes out (paper B, 3.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from models.morphable.linear import LinearFace
from models.morphable.model import MorphableModel
from models.morphable.spaces import require_space
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.crops import CropFaces
from models.training.inference import predict_coefficients
from models.types import Coefficients


@dataclass(frozen=True, eq=False)
class RNet:
    """A `CropModel`: a trained network, the textured morphable model it speaks of, and the side of its crops."""

    network: RNetwork
    face: MorphableModel
    layout: RNetLayout
    crop_px: int

    @property
    def space(self) -> str:
        """The space of its morphable model."""
        return self.face.space

    @property
    def triangles(self) -> Int32[ndarray, "m 3"]:
        """Those of its morphable model."""
        return self.face.triangles

    def outputs(
        self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device, batch_size: int = 64
    ) -> Float32[ndarray, "n k"]:
        """One output vector a crop: see `RNetLayout`."""
        return predict_coefficients(self.network, crops, batch_size=batch_size, device=device)

    def coefficients(
        self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device, batch_size: int = 64
    ) -> list[Coefficients]:
        """One face a crop, in the space of `face`, its pose before `crop_camera`."""
        return self.unpacked(self.outputs(crops, device, batch_size))

    def unpacked(self, outputs: Float32[ndarray, "n k"]) -> list[Coefficients]:
        """The faces that output vectors stand for."""
        return [self.layout.unpack(row, self.space) for row in outputs]

    def meshes(
        self, coefficients: Sequence[Coefficients], device: torch.device, block: int = 64
    ) -> Iterator[Float32[ndarray, "v 3"]]:
        """Vertices (mm, face frame) of each face, `block` faces a matrix product; else `ConfigurationError`."""
        linear = self._linear.to(device)
        for start in range(0, len(coefficients), block):
            part = coefficients[start : start + block]
            for each in part:
                require_space(each, self.space, "R-Net's meshes")
            identity = torch.from_numpy(np.stack([each.identity for each in part])).to(device)
            expression = torch.from_numpy(np.stack([each.expression for each in part])).to(device)
            yield from linear(identity, expression).cpu().numpy()

    def faces(self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device) -> CropFaces:
        """Coefficients and meshes of one batch."""
        found = self.coefficients(crops, device, batch_size=len(crops))
        return CropFaces(found, np.stack(list(self.meshes(found, device))))

    def decode(self, coefficients: Sequence[Coefficients], device: torch.device) -> Iterator[Float32[ndarray, "v 3"]]:
        """See `Decoder`."""
        return self.meshes(coefficients, device)

    @cached_property
    def _linear(self) -> LinearFace:
        return LinearFace(self.face)
