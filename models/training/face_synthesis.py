"""From network outputs back to the picture: the analytic half of R-Net's training (paper B, 3.1-3.2)."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.morphable.linear import LinearFace
from models.morphable.model import MorphableModel
from models.morphable.textured import LinearTexture
from models.networks.rnet_layout import FaceParameters
from models.rendering.batch_camera import place, project_points
from models.rendering.camera import PerspectiveCamera
from models.rendering.differentiable import as_pictures, render
from models.rendering.display import srgb


class FacePicture(NamedTuple):
    """Rendered photos (sRGB values 0-1 where `covered`, 0 elsewhere) and the pixels that the faces cover."""

    values: Float[Tensor, "b 3 s s"]
    covered: Bool[Tensor, "b s s"]


class FaceSynthesis(nn.Module):
    """Faces of a textured morphable model before the camera of square crops `pixels` wide; no weights of its own."""

    triangles: Tensor
    landmark_vertices: Tensor

    def __init__(self, face: MorphableModel, camera: PerspectiveCamera, pixels: int) -> None:
        super().__init__()
        self.shape = LinearFace(face)
        self.texture = LinearTexture(face)
        self.camera = camera
        self.pixels = pixels
        self.register_buffer("triangles", torch.from_numpy(face.triangles).long(), persistent=False)
        self.register_buffer("landmark_vertices", torch.from_numpy(face.landmarks68).long(), persistent=False)

    def vertices(self, face: FaceParameters) -> Float[Tensor, "b n 3"]:
        """Vertices in the camera frame, mm."""
        return place(self.shape(face.identity, face.expression), face.angles_rad, face.translation_mm)

    def landmarks(self, vertices: Float[Tensor, "b n 3"]) -> Float[Tensor, "b 68 2"]:
        """The 68 landmarks in crop pixels, seen or not."""
        return project_points(vertices[:, self.landmark_vertices], self.camera)

    def picture(
        self, vertices: Float[Tensor, "b n 3"], albedo: Float[Tensor, "b n 3"], light: Float[Tensor, "b 9 3"]
    ) -> FacePicture:
        """The faces as photographed; raises `ScanError` where one is not finite or not in front of the camera."""
        lit = render(vertices, self.triangles, albedo, light, self.camera, self.pixels)
        return FacePicture(as_pictures(srgb(lit.values), lit.covered), lit.covered)
