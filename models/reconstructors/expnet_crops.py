"""A stored ExpNet behind the one protocol."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from models.morphable.spaces import require_space
from models.reconstructors.crops import CropFaces, FromCrops
from models.reconstructors.expnet import ExpNet, meshes
from models.reconstructors.protocol import Reconstructor, require_trained
from models.reconstructors.stored import crop_pixels, load_expnet
from models.types import Coefficients


@dataclass(frozen=True)
class ExpNetOnCrops:
    """A `CropModel`: the regressor, and the side of the crops it was trained on."""

    network: ExpNet
    crop_px: int

    @property
    def space(self) -> str:
        """The space of its morphable model."""
        return self.network.face.space

    @property
    def triangles(self) -> Int32[ndarray, "m 3"]:
        """Those of its morphable model."""
        return self.network.face.triangles

    def faces(self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device) -> CropFaces:
        """Coefficients with pose, and meshes, of one batch."""
        found = self.network.coefficients(crops, device, batch_size=len(crops))
        return CropFaces(found, np.stack(list(meshes(self.network.face, found))))

    def decode(
        self,
        coefficients: Sequence[Coefficients],
        device: torch.device,  # noqa: ARG002 - one matrix product a block
    ) -> Iterator[Float32[ndarray, "v 3"]]:
        """See `Decoder`."""
        for each in coefficients:
            require_space(each, self.space, "ExpNet")
        return meshes(self.network.face, list(coefficients))


def open_expnet(folder: Path | None) -> Reconstructor:
    """The ExpNet in `folder`; raises `AssetMissing` when not trained and `ArtefactError` when damaged."""
    trained = require_trained("expnet", folder)
    return FromCrops(ExpNetOnCrops(load_expnet(trained), crop_pixels(trained)))
