"""One framing of faces for all sizes: five points are moved onto a template by a similarity."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numpy import ndarray

from models.errors import PhotoError
from models.photos.warping import warp_square
from models.types import Photo

# Where the template puts the eyes: their distance and height, as fractions of the crop's side.
_EYE_DISTANCE = 0.27
_EYE_HEIGHT = 0.40
# Left eye, right eye, nose tip, left and right mouth corner; in eye distances from the middle between the eyes.
_SHAPE = ((-0.5, 0.0), (0.5, 0.0), (0.0, 0.59), (-0.41, 1.05), (0.41, 1.05))
TEMPLATE = np.array(_SHAPE) * _EYE_DISTANCE + (0.5, _EYE_HEIGHT)
"""The five points as fractions of the side of the crop, from its upper left corner; symmetric.

The mouth lies between the mean of the 400 ORL photos (0.98) and an upright face seen level (1.10). With it the
mesh of those photos begins at .15 of the side (hair line), ends at .92 (chin, mouth open) and is .06-.91 wide.
"""
# Less spread than this between the points, in pixels, is no face that could be aligned.
_LEAST_SPREAD_PX = 2.0
# Correlation of the points with the template laid on them: a full profile has about .7, left and right swapped .14.
_LEAST_AGREEMENT = 0.5


class AlignedPhoto(NamedTuple):
    """A crop and the map `photo_xy = to_photo @ [x, y, 1]`; both frames have pixel centres at integers."""

    pixels: UInt8[ndarray, "size size 3"]
    to_photo: Float64[ndarray, "2 3"]


def similarity(source: Float64[ndarray, "n 2"], target: Float64[ndarray, "n 2"]) -> Float64[ndarray, "2 3"]:
    """Rotation, scale and shift [sR | t] taking `source` to `target`, least squares. Umeyama 1991, eq. 40-42.

    Never a reflection. Raises `ValueError` when the source points coincide or leave the rotation undefined.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    from_mean, to_mean = source - source_mean, target - target_mean
    spread = float((from_mean**2).sum())
    left, singular, right = np.linalg.svd(to_mean.T @ from_mean)
    signs = np.array([1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    gain = float(singular @ signs)
    if spread <= 0 or gain <= 1e-9 * np.sqrt(spread * float((to_mean**2).sum())):
        raise ValueError("no similarity: the points coincide, or no rotation is better than another")
    linear = gain / spread * (left * signs) @ right
    return np.column_stack([linear, target_mean - linear @ source_mean])


def template_points(size: int) -> Float64[ndarray, "5 2"]:
    """The template in pixels of a crop of `size` x `size`, pixel centres at integers."""
    return TEMPLATE * size - 0.5


def align_photo(photo: Photo, points: Float32[ndarray, "5 2"], size: int) -> AlignedPhoto:
    """The face at the template's place, `size` x `size`, the photo's border repeated where it ends.

    `points` are in the photo's pixel frame, in the template's order. Raises `PhotoError` when they cannot be a face:
    not finite, all but coincident, or arranged otherwise than a face's, as when left and right are swapped.
    """
    wanted = points.astype(np.float64)
    if not np.isfinite(wanted).all() or np.ptp(wanted, axis=0).max() < _LEAST_SPREAD_PX:
        raise PhotoError(f"{photo.path}: the five face points coincide or are not finite; detect the face again")
    template = template_points(size)
    try:
        to_photo = similarity(template, wanted)
    except ValueError:
        to_photo = np.zeros((2, 3))
    if _agreement(template @ to_photo[:, :2].T + to_photo[:, 2], wanted) < _LEAST_AGREEMENT:
        raise PhotoError(f"{photo.path}: the five face points are not arranged as a face's; check their order")
    return AlignedPhoto(warp_square(photo.pixels, to_photo, size), to_photo)


def _agreement(fitted: Float64[ndarray, "5 2"], wanted: Float64[ndarray, "5 2"]) -> float:
    """Correlation 0-1 of points with their least-squares fit: the root of the share of their spread it explains."""
    spread = float(((wanted - wanted.mean(axis=0)) ** 2).sum())
    return float(np.sqrt(max(0.0, 1 - float(((fitted - wanted) ** 2).sum()) / spread)))
