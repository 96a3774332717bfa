"""Normal component images of reconstructed faces with gradients, as the recogniser sees them."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional

from models.rendering.rasteriser import rasterise
from models.rendering.surface_normals import surface_normals


class FrontalNormals(nn.Module):
    """Meshes of one topology to images of their normals, each cell looking at the place that the mean face shows there.

    What a cell sees is fixed by `template`, so the image has exact gradients everywhere and no outline; where a face
    is wider than the mean, its features keep their cells. `inside` are the cells that recognition looks at; the others
    hold `background`.
    """

    def __init__(
        self,
        template: Float32[ndarray, "n 3"],
        triangles: ndarray,
        inside: ndarray,
        mm_per_pixel: float,
        background: float,
    ) -> None:
        """`template` has its nose tip, the middle of the image, at the origin; mm."""
        super().__init__()
        height, width = inside.shape
        column = template[:, 0] / mm_per_pixel + (width - 1) / 2
        row = (height - 1) / 2 - template[:, 1] / mm_per_pixel
        seen = rasterise(np.column_stack([column, row, template[:, 2]]).astype(np.float32), triangles, height, width)
        shown = inside & (seen.triangle >= 0)
        self.background = background
        self.shape = (height, width)
        self.register_buffer("triangles", torch.from_numpy(triangles.astype(np.int64)), persistent=False)
        corners = torch.from_numpy(triangles[seen.triangle[shown]].astype(np.int64))
        self.register_buffer("corners", corners, persistent=False)
        self.register_buffer("weights", torch.from_numpy(seen.weights[shown]), persistent=False)
        self.register_buffer("cells", torch.from_numpy(np.flatnonzero(shown)), persistent=False)

    def forward(self, vertices: Float[Tensor, "b n 3"]) -> Float[Tensor, "b 3 h w"]:
        """Nx, Ny, Nz in -1 to 1."""
        normals = surface_normals(vertices, self.get_buffer("triangles"))
        corners = normals[:, self.get_buffer("corners").flatten()].unflatten(1, (-1, 3))
        shown = functional.normalize((corners * self.get_buffer("weights")[..., None]).sum(2), dim=-1)
        empty = vertices.new_full((len(vertices), 3, self.shape[0] * self.shape[1]), self.background)
        return empty.index_copy(2, self.get_buffer("cells"), shown.transpose(1, 2)).unflatten(2, self.shape)
