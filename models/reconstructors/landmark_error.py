"""How far the landmarks of reconstructed faces are from where they are in the photos."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.errors import ConfigurationError
from models.morphable.model import MorphableModel
from models.reconstructors.crop_camera import crop_camera
from models.rendering.camera import project, rotation_from_angles
from models.types import Coefficients

OUTER_EYE_CORNERS = (36, 45)


class LandmarkError(NamedTuple):
    """Mean distance over 68 points and all faces, in crop pixels and as a share of the outer eye corners' distance."""

    pixels: float
    interocular: float
    photos: int


def projected_landmarks(face: MorphableModel, coefficients: Coefficients, crop_px: int) -> Float32[ndarray, "68 2"]:
    """The 68 landmarks in crop pixels; raises `ConfigurationError` for coefficients without a pose."""
    pose = coefficients.pose
    if pose is None:
        raise ConfigurationError(f"coefficients in {coefficients.space!r} have no pose: their landmarks are nowhere")
    shape = face.shape(coefficients.identity, coefficients.expression)[face.landmarks68]
    placed = shape @ rotation_from_angles(*pose[:3]).T + np.array(pose.translation_mm)
    return project(placed, crop_camera(crop_px))[:, :2]


def landmark_error(
    face: MorphableModel, coefficients: Sequence[Coefficients], landmarks: Float32[ndarray, "n 68 2"], crop_px: int
) -> LandmarkError:
    """Error against `landmarks`, detected or true, in crop pixels."""
    gaps: list[ndarray] = []
    for each, wanted in zip(coefficients, landmarks, strict=True):
        gaps.append(np.linalg.norm(projected_landmarks(face, each, crop_px) - wanted, axis=1))
    left, right = (landmarks[:, corner].astype(np.float64) for corner in OUTER_EYE_CORNERS)
    mean = np.mean(gaps, axis=1)
    shares = mean / np.linalg.norm(right - left, axis=1)
    return LandmarkError(float(mean.mean()), float(shares.mean()), len(gaps))
