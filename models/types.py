"""The values that travel between the rooms. All are frozen.

Two frames only. *Camera frame*: x right, y up, z towards the camera, millimetres. *Pixel frame*: x right, y down,
pixel centres at integers. Every reader converts to the camera frame at the door.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy import ndarray

from models.errors import ScanError

AXES = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class Scan:
    """A surface in the camera frame, mm. `triangles` index `vertices`, counter-clockwise seen from outside."""

    vertices: Float32[ndarray, "n 3"]
    triangles: Int32[ndarray, "m 3"]
    colours: UInt8[ndarray, "n 3"] | None = None
    landmarks: dict[str, tuple[float, float, float]] = field(default_factory=dict[str, tuple[float, float, float]])


@dataclass(frozen=True, eq=False)
class RangeImage:
    """Equation 4: a grid whose cell holds the surface point seen there (camera frame, mm) and whether one is."""

    points: Float32[ndarray, "h w 3"]
    valid: Bool[ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class NormalImages:
    """Equation 7: unit normals per cell (Nx, Ny, Nz as the last axis), zero where not valid."""

    normals: Float32[ndarray, "h w 3"]
    valid: Bool[ndarray, "h w"]


class Pose(NamedTuple):
    """Rotation angles (degrees; applied as Rz @ Ry @ Rx) and translation (mm) from face to camera frame."""

    pitch_deg: float
    yaw_deg: float
    roll_deg: float
    translation_mm: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Coefficients of one face in one morphable model; `space` names that model and its truncation."""

    space: str
    identity: Float32[ndarray, " k"]
    expression: Float32[ndarray, " e"]
    texture: Float32[ndarray, " t"] | None = None
    light: Float32[ndarray, "9 3"] | None = None
    pose: Pose | None = None


@dataclass(frozen=True, eq=False)
class Photo:
    """An RGB photo, and the path it came from."""

    pixels: UInt8[ndarray, "h w 3"]
    path: str


class Failure(NamedTuple):
    """An input that gave no result: a row, never a gap."""

    path: str
    reason: str


def require_finite(values: ndarray, what: str, where: str) -> None:
    """Raise `ScanError` when `values` hold NaN or infinity."""
    if not np.isfinite(values).all():
        raise ScanError(f"{where}: {what} holds values that are not finite")
