"""Facts of a photo's pixels."""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601: how bright red, green and blue look."""


class PhotoFacts(NamedTuple):
    """Size in pixels; mean of all channels and standard deviation of the luma, both of 255."""

    width: int
    height: int
    brightness: float
    contrast: float


def photo_facts(pixels: UInt8[ndarray, "h w 3"]) -> PhotoFacts:
    """Facts of an RGB photo; one of no pixels is black and of no contrast."""
    height, width = pixels.shape[:2]
    if not pixels.size:
        return PhotoFacts(width, height, 0.0, 0.0)
    luma = pixels.reshape(-1, 3) @ np.array(LUMA, dtype=np.float32)
    return PhotoFacts(width, height, float(pixels.mean()), float(luma.std(dtype=np.float64)))
