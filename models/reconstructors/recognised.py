"""What a recogniser would see of regressed coefficients, with gradients."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.geometry.range_image import Grid
from models.morphable.linear import LinearFace
from models.morphable.model import MorphableModel
from models.networks.expnet import CoefficientLayout
from models.networks.preprocessing import BACKGROUND, CENTRE, SCALE
from models.reconstructors.encoding import face_footprint
from models.rendering.frontal_normals import FrontalNormals


class CoefficientImages(nn.Module):
    """Output vectors of a regressor to Nx, Ny and Nz of their upright faces, in the values of `scale_pixels`.

    Pose does not enter: recognition turns every face upright. The cells are those of `encoding.training_image`, behind
    the same mask, but for the plane fit, which here is the normal of the mesh.
    """

    def __init__(self, face: MorphableModel, layout: CoefficientLayout, grid: Grid, crop_radius_mm: float) -> None:
        super().__init__()
        self.layout = layout
        self.face = LinearFace(face)
        inside = face_footprint(face, grid, crop_radius_mm)
        template = face.template - face.template[face.nose_tip]
        self.normals = FrontalNormals(template, face.triangles, inside, grid.mm_per_pixel, BACKGROUND * SCALE / CENTRE)

    def forward(self, vectors: Float[Tensor, "b k"]) -> Float[Tensor, "b 3 h w"]:
        """Images of a batch."""
        parts = self.layout.split(vectors)
        images = self.normals(self.face(parts.identity, parts.expression))
        return (images * (CENTRE / SCALE)).contiguous(memory_format=torch.channels_last)
