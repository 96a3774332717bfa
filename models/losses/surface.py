"""How far one surface is from another of the same topology: where its vertices lie, and which way it faces."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int32
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional


class SurfaceL2(nn.Module):
    """Mean squared vertex distance (mm^2) plus `normal_weight` (mm^2) times the mean squared difference of normals.

    Normals are those of the triangles, weighted by area on `template` (mm); for small angles the difference of two unit
    normals is the angle between them in radians. Vertices alone leave fine relief unseen: a tenth of a millimetre over
    a few millimetres turns the normal by degrees.
    """

    triangles: Tensor
    areas: Tensor

    def __init__(
        self, template: Float32[ndarray, "n 3"], triangles: Int32[ndarray, "m 3"], normal_weight: float = 100.0
    ) -> None:
        super().__init__()
        self.normal_weight = normal_weight
        corners = template[triangles]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        self.register_buffer("triangles", torch.from_numpy(triangles).long(), persistent=False)
        self.register_buffer("areas", torch.from_numpy(area / area.sum()).float(), persistent=False)

    def forward(self, predicted: Float[Tensor, "b n 3"], target: Float[Tensor, "b n 3"]) -> Float[Tensor, ""]:
        """Mean over the batch, mm^2."""
        places = (predicted - target).square().sum(2).mean()
        turned = (self.normals(predicted) - self.normals(target)).square().sum(2)
        return places + self.normal_weight * (turned @ self.areas).mean()

    def normals(self, vertices: Float[Tensor, "b n 3"]) -> Float[Tensor, "b m 3"]:
        """Unit normals of the triangles, outwards."""
        a, b, c = (vertices[:, corner] for corner in self.triangles.T)
        return functional.normalize(torch.linalg.cross(b - a, c - a), dim=2)
