"""How the inputs of classifiers are varied in training (paper B, 3.3.1 and 3.3.2), on coefficients and on photos.

The paper names random rotations, scaling, light, pose and quality. A coefficient vector has none of these; what they do
to it is to move its estimate. So vectors are moved by noise as large, and in the directions, as estimates of one face
really scatter over its photos, and scaled about the mean face, which exaggerates or attenuates a face. Photos are
varied as the paper says.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional

from models.networks.preprocessing import BACKGROUND
from models.training.augmentation import PhotoAugmentation


@dataclass(frozen=True, eq=False)
class CoefficientJitter:
    """`covariance` is that of the noise, `scaling` the largest relative change of size about the origin, which is the
    mean face.
    """

    covariance: Float64[ndarray, "k k"]
    scaling: float = 0.1

    def __call__(self, coefficients: Float[Tensor, "b k"], generator: torch.Generator) -> Float[Tensor, "b k"]:
        """Each vector with a size and a noise of its own."""
        device = coefficients.device
        sizes = torch.rand((len(coefficients), 1), generator=generator, device=device) * 2 - 1
        noise = torch.randn(coefficients.shape, generator=generator, device=device)
        return coefficients * (1 + self.scaling * sizes) + noise @ self._root.to(device)

    def described(self) -> dict[str, Any]:
        """What tells it from others, as plain values."""
        return {"scaling": self.scaling, "covariance": hashlib.sha256(self.covariance.tobytes()).hexdigest()}

    @cached_property
    def _root(self) -> Float32[Tensor, "k k"]:
        sizes, directions = np.linalg.eigh(self.covariance)
        return torch.from_numpy(np.sqrt(np.maximum(sizes, 0))[:, None] * directions.T).float()


@dataclass(frozen=True)
class PhotoVariation:
    """Mirroring, light, blur and holes of `camera`; then the largest rotation (degrees) and relative change of size."""

    rotation_deg: float = 10.0
    scaling: float = 0.1
    camera: PhotoAugmentation = field(default_factory=PhotoAugmentation)

    def __call__(self, photos: UInt8[Tensor, "b 3 h w"], generator: torch.Generator) -> Float[Tensor, "b 3 h w"]:
        """Network values, channels last; what comes in at the border is background."""
        values = self.camera(photos, generator, None)
        draw = torch.rand((2, len(values)), generator=generator, device=values.device) * 2 - 1
        turn = draw[0] * torch.pi / 180 * self.rotation_deg
        size = 1 + self.scaling * draw[1]
        rows = torch.stack([turn.cos() / size, -turn.sin() / size, turn.sin() / size, turn.cos() / size], dim=1)
        maps = functional.pad(rows.view(-1, 2, 2), (0, 1))
        grid = functional.affine_grid(maps, list(values.shape), align_corners=False)
        moved = functional.grid_sample(values - BACKGROUND, grid, align_corners=False) + BACKGROUND
        return moved.contiguous(memory_format=torch.channels_last)
