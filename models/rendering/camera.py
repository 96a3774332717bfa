"""A pinhole camera, and rotations as three angles."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Float64
from numpy import ndarray

from models.errors import ScanError


class PerspectiveCamera(NamedTuple):
    """A pinhole at the origin of the camera frame that looks along -z; focal length and principal point in pixels."""

    focal_px: float
    centre_xy: tuple[float, float]


def project(points: Float[ndarray, "n 3"], camera: PerspectiveCamera) -> Float32[ndarray, "n 3"]:
    """Camera frame (mm) to (pixel x right, pixel y down, nearness = 1/distance along the axis, per mm).

    1/distance is affine on screen, so a z-buffer over it is exact. Raises `ScanError` for points not in front.
    """
    distance = -points[:, 2].astype(np.float64)
    if not (distance > 0).all():
        raise ScanError("project: a point is not in front of the camera; move the surface to negative z")
    x = camera.centre_xy[0] + camera.focal_px * points[:, 0] / distance
    y = camera.centre_xy[1] - camera.focal_px * points[:, 1] / distance
    return np.stack([x, y, 1 / distance], axis=1).astype(np.float32)


def rotation_from_angles(pitch_deg: float, yaw_deg: float, roll_deg: float) -> Float64[ndarray, "3 3"]:
    """Rz(roll) @ Ry(yaw) @ Rx(pitch), right-handed about the axes of the camera frame (see `models.types.Pose`)."""
    (sx, sy, sz), (cx, cy, cz) = (f(np.radians([pitch_deg, yaw_deg, roll_deg])) for f in (np.sin, np.cos))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


class Angles(NamedTuple):
    """The three angles of a rotation, in degrees, in the order `rotation_from_angles` takes them."""

    pitch_deg: float
    yaw_deg: float
    roll_deg: float


def angles_from_rotation(rotation: Float[ndarray, "3 3"]) -> Angles:
    """Inverse of `rotation_from_angles`, yaw within +-90 degrees; at yaw +-90 roll is 0 (gimbal lock)."""
    away_from_lock = np.hypot(rotation[0, 0], rotation[1, 0])
    yaw = np.arctan2(-rotation[2, 0], away_from_lock)
    if away_from_lock > 1e-9:
        pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
        roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    else:
        pitch, roll = np.arctan2(-rotation[1, 2], rotation[1, 1]), 0.0
    return Angles(*(float(np.degrees(angle)) for angle in (pitch, yaw, roll)))
