"""Square views of a photo under an affine map, without aliasing however much they shrink."""

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numpy import ndarray

# Averaged samples along each side of a target pixel; beyond it the photo is averaged down first, which bounds memory.
_MOST_SAMPLES = 4


def warp_square(
    pixels: UInt8[ndarray, "h w 3"],
    to_source: Float64[ndarray, "2 3"],
    size: int,
    surround: tuple[int, int, int] | None = None,
) -> UInt8[ndarray, "size size 3"]:
    """The image whose pixel p shows the source around `to_source @ [p, 1]`, each pixel averaged over its footprint.

    Both frames have pixel centres at integers. Outside the source is `surround`, or its border repeated if None.
    """
    scale = float(np.sqrt(abs(np.linalg.det(to_source[:, :2]))))
    pixels, to_source = _shrink(pixels, to_source, size, scale / _MOST_SAMPLES)
    samples = int(np.clip(np.ceil(scale - 1e-6), 1, _MOST_SAMPLES))
    offset = 0.5 / samples - 0.5
    finer = np.array([[1 / samples, 0, offset], [0, 1 / samples, offset], [0, 0, 1]])
    sampled = cv2.warpAffine(
        pixels,
        to_source @ finer,
        (size * samples, size * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if surround is None else cv2.BORDER_CONSTANT,
        borderValue=surround or (0, 0, 0),
    )
    if samples > 1:
        sampled = cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(sampled, np.uint8)


def from_centres(from_edges: Float64[ndarray, "2 3"]) -> Float64[ndarray, "2 3"]:
    """The same map for a target whose integers are pixel centres, given one whose integers are pixel edges."""
    return np.column_stack([from_edges[:, :2], from_edges[:, 2] + from_edges[:, :2].sum(axis=1) / 2])


def _shrink(
    pixels: UInt8[ndarray, "h w 3"], to_source: Float64[ndarray, "2 3"], size: int, factor: float
) -> tuple[UInt8[ndarray, "h2 w2 3"], Float64[ndarray, "2 3"]]:
    """The part of the source that the target shows, averaged down by about `factor`, and the map into it."""
    if factor <= 1:
        return pixels, to_source
    corners = to_source @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
    bounds = np.array(pixels.shape[1::-1])
    # a rim of two shrunken pixels, so that what repeats at the cut is never seen
    low = np.clip(np.floor(corners.min(axis=1) - 2 * factor), 0, bounds - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=1) + 2 * factor), low + 1, bounds).astype(int)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    small = np.maximum(np.round((high - low) / factor), 1).astype(int)
    ratio = small / (high - low)
    moved = to_source * ratio[:, None]
    # edges keep their place, so a centre c goes to (c - low + 1/2) ratio - 1/2
    moved[:, 2] += (0.5 - low) * ratio - 0.5
    return np.asarray(cv2.resize(part, small.tolist(), interpolation=cv2.INTER_AREA), np.uint8), moved
