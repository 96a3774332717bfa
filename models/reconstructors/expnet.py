"""ExpNet as a reconstructor: aligned photo in; coefficients, pose and mesh out (paper A, 2.2)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy import ndarray
from torch import nn

from models.morphable.linear import LinearFace
from models.morphable.model import MorphableModel
from models.networks.expnet import CoefficientLayout
from models.training.inference import predict_coefficients
from models.types import Coefficients, Pose, Scan

USUAL_DISTANCE_MM = 1024.0
"""How far the crop camera stands from an upright frontal face of average size; predictions are relative to it."""
POSE_WEIGHTS_MM2 = (4.0, 4.0, 4.0, 1.0, 1.0, 0.02)
"""What a unit error of pitch, yaw, roll, x, y, distance costs beside a mean squared vertex error in mm^2."""


class ExpNet(NamedTuple):
    """A trained regressor with the morphable model whose coefficients it speaks."""

    network: nn.Module
    face: MorphableModel
    layout: CoefficientLayout

    def coefficients(
        self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device, batch_size: int = 64
    ) -> list[Coefficients]:
        """One face a crop, in the space of `face`."""
        outputs = predict_coefficients(self.network, crops, batch_size=batch_size, device=device)
        return [from_vector(row, self.layout, self.face.space) for row in outputs]


def to_vector(coefficients: Coefficients, layout: CoefficientLayout) -> Float32[ndarray, " k"]:
    """The regression target of a face: coefficients, and the pose with its distance relative to the usual one."""
    return layout.pack(_with_distance(coefficients, USUAL_DISTANCE_MM))


def from_vector(vector: Float32[ndarray, " k"], layout: CoefficientLayout, space: str) -> Coefficients:
    """The inverse of `to_vector`."""
    return _with_distance(layout.unpack(vector, space), -USUAL_DISTANCE_MM)


def _with_distance(coefficients: Coefficients, more_mm: float) -> Coefficients:
    pose = coefficients.pose
    if pose is None:
        return coefficients
    x, y, z = pose.translation_mm
    moved = Pose(pose.pitch_deg, pose.yaw_deg, pose.roll_deg, (x, y, z + more_mm))
    return Coefficients(coefficients.space, coefficients.identity, coefficients.expression, pose=moved)


def surface_basis(face: MorphableModel) -> Float32[ndarray, "rows k"]:
    """Both bases as one matrix (three rows a vertex, mm a unit): what `VertexWeightedL2` measures errors with."""
    both = np.concatenate([face.identity_basis, face.expression_basis])
    return np.ascontiguousarray(both.reshape(len(both), -1).T)


def meshes(
    face: MorphableModel, coefficients: list[Coefficients], block: int = 64
) -> Iterator[Float32[ndarray, "n 3"]]:
    """Vertices (mm, face frame) of each face, `block` faces a matrix product."""
    linear = LinearFace(face)
    for start in range(0, len(coefficients), block):
        part = coefficients[start : start + block]
        identity = torch.from_numpy(np.stack([each.identity for each in part]))
        expression = torch.from_numpy(np.stack([each.expression for each in part]))
        yield from linear(identity, expression).numpy()


def mesh(face: MorphableModel, coefficients: Coefficients) -> Scan:
    """The reconstructed surface of one face, upright in the face frame."""
    return Scan(face.shape(coefficients.identity, coefficients.expression), face.triangles)
