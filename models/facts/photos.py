"""Facts of a photo's pixels."""

from typing import NamedTuple

import cv2
from jaxtyping import UInt8
from numpy import ndarray


class PhotoFacts(NamedTuple):
    """Size in pixels; mean of all channels and standard deviation of the luma (ITU-R BT.601), both of 255."""

    width: int
    height: int
    brightness: float
    contrast: float


def photo_facts(pixels: UInt8[ndarray, "h w 3"]) -> PhotoFacts:
    """Facts of an RGB photo; one of no pixels is black and of no contrast."""
    height, width = pixels.shape[:2]
    if not pixels.size:
        return PhotoFacts(width, height, 0.0, 0.0)
    red, green, blue, _ = cv2.mean(pixels)
    _, spread = cv2.meanStdDev(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    return PhotoFacts(width, height, (red + green + blue) / 3, float(spread[0, 0]))
