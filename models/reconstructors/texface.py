"""TEx-Face as a reconstructor: photo to style code to surface."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from models.losses.inversion import POSE_SIGNS
from models.morphable.face_map import largest_piece, map_places
from models.morphable.model import MorphableModel
from models.morphable.spaces import require_space
from models.morphable.style_space import StyleSpace
from models.networks.expnet import CoefficientLayout
from models.networks.texface.decoder import DecoderGeometry, StyleDecoder
from models.networks.texface.denoiser import StyleDenoiser
from models.networks.texface.encoder import StyleEncoder
from models.reconstructors.crops import CropFaces
from models.training.inference import predict_coefficients
from models.training.safetensor_files import tensors_digest
from models.types import Coefficients, Pose

USUAL_DISTANCE_MM = 1024.0
"""What distances are relative to in the pose that the encoder learns, as in ExpNet's targets."""
POSE_WEIGHTS_MM2 = (4.0, 4.0, 4.0, 1.0, 1.0, 0.02)
"""What a unit error of pitch, yaw, roll, x, y, distance costs beside a mean squared surface error in mm^2."""
BLOCK = 64


@dataclass(frozen=True, eq=False)
class TexFace:
    """The three trained networks with the mesh they speak of; also a `CropModel`.

    Its coefficients are style codes in a space of their own: `identity` and `expression` are the parts of the code.
    Without a denoiser it reconstructs but generates nothing.
    """

    encoder: StyleEncoder
    decoder: StyleDecoder
    denoiser: StyleDenoiser | None
    style: StyleSpace
    face: MorphableModel
    crop_px: int
    space: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the space: codes fit the decoder that they were made for, and no other."""
        shape, made = self.decoder.shape, tensors_digest(self.decoder.state_dict())[:8]
        object.__setattr__(self, "space", f"texface-{made}/id{shape.identity}/exp{shape.expression}")

    @property
    def triangles(self) -> Int32[ndarray, "m 3"]:
        """Those of the face model."""
        return self.face.triangles

    def faces(self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device) -> CropFaces:
        """Codes with pose, and vertices (mm, face frame), of one batch."""
        found = self.coefficients(crops, device, batch_size=len(crops))
        return CropFaces(found, np.stack(list(self.vertices(found, device))))

    def coefficients(
        self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device, batch_size: int = BLOCK
    ) -> list[Coefficients]:
        """One code a crop: the mean of what the photo and its mirror image say, which are two views of one face."""
        plain, turned = (
            predict_coefficients(self.encoder, np.ascontiguousarray(each), batch_size=batch_size, device=device)
            for each in (crops, crops[..., ::-1])
        )
        signs = np.concatenate([self.style.signs, np.array(POSE_SIGNS, dtype=np.float32)])
        space, layout = self.space, CoefficientLayout(self.decoder.shape.identity, self.decoder.shape.expression)
        return [_far_away(layout.unpack(row, space)) for row in (plain + turned * signs) / 2]

    def vertices(self, given: Sequence[Coefficients], device: torch.device) -> Iterator[Float32[ndarray, "n 3"]]:
        """Vertices (mm, face frame) of each face, some at a time; raises `ConfigurationError` on another space."""
        decoder = self.decoder.to(device).eval()
        for start in range(0, len(given), BLOCK):
            codes = torch.from_numpy(self.codes(given[start : start + BLOCK])).to(device)
            with torch.inference_mode():
                decoded = decoder(codes).float().cpu().numpy()
            yield from decoded

    def decode(self, coefficients: Sequence[Coefficients], device: torch.device) -> Iterator[Float32[ndarray, "n 3"]]:
        """See `Decoder`."""
        return self.vertices(coefficients, device)

    def linear(self, given: Sequence[Coefficients], device: torch.device) -> list[Coefficients]:
        """The same faces, without the detail, in the space of the linear model."""
        codes = torch.from_numpy(self.codes(given)).to(device)
        with torch.inference_mode():
            alpha, beta = (part.cpu().numpy() for part in self.decoder.to(device).eval().coefficients(codes))
        return [
            Coefficients(self.face.space, who, how, pose=each.pose)
            for who, how, each in zip(alpha, beta, given, strict=True)
        ]

    def codes(self, given: Sequence[Coefficients]) -> Float32[ndarray, "n d"]:
        """Whole codes, a row each; raises `ConfigurationError` on coefficients of another space."""
        space = self.space
        for each in given:
            require_space(each, space, "TEx-Face")
        return np.stack([np.concatenate([each.identity, each.expression]) for each in given])


def decoder_geometry(face: MorphableModel, style: StyleSpace) -> DecoderGeometry:
    """What a decoder is to know of `face`, and of the codes of `style`, whose vertices are the first of `face`."""
    return DecoderGeometry(
        template=face.template,
        identity_basis=face.identity_basis,
        expression_basis=face.expression_basis,
        places=map_places(face.template),
        reach=largest_piece(face.triangles, len(face.template)),
        identity_directions=style.identity.directions,
        expression_directions=style.expression.directions,
    )


def _far_away(coefficients: Coefficients) -> Coefficients:
    """With the distance from the camera instead of what it differs by from the usual one."""
    assert coefficients.pose is not None  # noqa: S101 - `unpack` always gives one
    x, y, z = coefficients.pose.translation_mm
    pose = Pose(*coefficients.pose[:3], (x, y, z - USUAL_DISTANCE_MM))
    return Coefficients(coefficients.space, coefficients.identity, coefficients.expression, pose=pose)
