"""Reconstructed faces as training images: varied as cleaned scans vary, on the same grid, behind the same mask."""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray
from scipy import ndimage

from models.geometry.encoding import encode_normals
from models.geometry.holes import fill_holes
from models.geometry.normals import plane_fit_normals
from models.geometry.range_image import Grid, render_range_image
from models.morphable.model import MorphableModel
from models.rendering.camera import rotation_from_angles
from models.types import RangeImage, Scan

LARGEST_HOLE_CELLS = 400
"""As in scan cleaning: an open mouth is filled on both sides."""


class Variation(NamedTuple):
    """What scan cleaning leaves unsettled: standard deviations of pose, nose tip, head size and depth noise."""

    rotation_deg: float
    shift_mm: float
    size: float
    noise_mm: float


UNVARIED = Variation(0.0, 0.0, 0.0, 0.0)


def face_footprint(face: MorphableModel, grid: Grid, radius_mm: float, erode: int = 1) -> Bool[ndarray, "h w"]:
    """The cells that the mean face covers within `radius_mm` of its nose tip, less a rim of `erode` cells.

    Scans show ears, hair and neck where a reconstruction ends; behind this mask the two are alike. The slit of the
    mouth is no rim: holes of the mean face belong to the footprint.
    """
    image = render_range_image(Scan(face.template, face.triangles), grid)
    inside = ndimage.binary_fill_holes(image.valid & (np.linalg.norm(image.points, axis=-1) <= radius_mm))
    kernel = np.ones((2 * erode + 1, 2 * erode + 1), np.uint8)
    return cv2.erode(np.asarray(inside, dtype=np.uint8), kernel).astype(bool)


def varied(scan: Scan, variation: Variation, rng: np.random.Generator) -> Scan:
    """The face, its nose tip near the origin, turned, shifted and resized a little."""
    pitch, yaw, roll = (float(angle) for angle in rng.normal(0, variation.rotation_deg, size=3))
    size = rng.normal(1, variation.size)
    moved = scan.vertices @ (size * rotation_from_angles(pitch, yaw, roll).T)
    return replace(scan, vertices=(moved + rng.normal(0, variation.shift_mm, size=3)).astype(np.float32))


def noisy(image: RangeImage, noise_mm: float, rng: np.random.Generator) -> RangeImage:
    """Depth noise as a sensor and its resampling leave it: half of it shared by neighbouring cells."""
    fine = rng.normal(size=image.valid.shape).astype(np.float32)
    coarse = cv2.GaussianBlur(rng.normal(size=image.valid.shape).astype(np.float32), (0, 0), 1.5) * 4
    points = image.points.copy()
    points[..., 2] += np.where(image.valid, np.float32(noise_mm * 0.7) * (fine * 0.7 + coarse * 0.7), 0)
    return RangeImage(points, image.valid)


def normal_bytes(image: RangeImage, footprint: Bool[ndarray, "h w"]) -> UInt8[ndarray, "3 h w"]:
    """Nx, Ny, Nz of the cells behind the mask, as bytes; the plane fit sees nothing outside it either."""
    valid = image.valid & footprint
    points = np.where(valid[..., None], image.points, np.float32(0))
    return encode_normals(plane_fit_normals(RangeImage(points, valid)))


def training_image(
    scan: Scan, grid: Grid, footprint: Bool[ndarray, "h w"], variation: Variation, rng: np.random.Generator
) -> UInt8[ndarray, "3 h w"]:
    """One varied normal component image of a reconstructed face, its nose tip at the origin."""
    image = fill_holes(render_range_image(varied(scan, variation, rng), grid), LARGEST_HOLE_CELLS).image
    return normal_bytes(noisy(image, variation.noise_mm, rng), footprint)


def centred(vertices: Float32[ndarray, "n 3"], nose_tip: int) -> Float32[ndarray, "n 3"]:
    """The face with its nose tip at the origin."""
    return vertices - vertices[nose_tip]
