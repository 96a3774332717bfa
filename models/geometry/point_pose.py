"""The pose of known points from where a picture shows them, to begin with."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.rendering.camera import PerspectiveCamera


class RigidPose(NamedTuple):
    """Face frame to camera frame: x -> rotation @ x + translation (mm)."""

    rotation: Float64[ndarray, "3 3"]
    translation: Float64[ndarray, " 3"]


def orthographic_pose(
    points: Float64[ndarray, "p 3"], seen: Float64[ndarray, "p 2"], camera: PerspectiveCamera
) -> RigidPose:
    """Pose under which `points`, seen from far away, come closest to `seen` (DeMenthon & Davis 1995, POS).

    Raises `ValueError` where the picture has no extent in two directions, shows a mirror image or is not finite.
    """
    if not np.isfinite(seen).all():
        raise ValueError("the points are not finite")
    middle, centre = points.mean(axis=0), seen.mean(axis=0)
    upright = (seen - centre) * [1, -1]
    linear = np.linalg.lstsq(points - middle, upright, rcond=None)[0].T
    left, size, right = np.linalg.svd(linear, full_matrices=False)
    if not size[1] > 1e-3 * size[0] > 0:
        raise ValueError("the points coincide or lie on a line")
    rows = left @ right
    rotation = np.stack([*rows, np.cross(*rows)])
    if rotation[2, 2] <= 0:
        raise ValueError("the points show a face from behind, or its mirror image")
    scale = float(size.mean())
    offset = (centre - camera.centre_xy) * [1, -1] / scale
    place = np.array([*offset, -camera.focal_px / scale])
    return RigidPose(rotation, place - rotation @ middle)
