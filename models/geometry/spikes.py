"""Take single wild points out of a range image."""

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from models.rendering.compiled import compiled
from models.types import RangeImage

REACH = 2


class SpikesRemoved(NamedTuple):
    """The image without its spikes, and how many cells were emptied."""

    image: RangeImage
    removed: int


@compiled
def _spikes(points: ndarray, valid: ndarray, tolerance: float) -> ndarray:
    """A cell is a spike when the window's median depth, slope allowed for, is farther away than the tolerance."""
    height, width = valid.shape
    spike = np.zeros((height, width), np.bool_)
    near = np.empty((2 * REACH + 1) ** 2)
    for row in range(height):
        for column in range(width):
            if not valid[row, column]:
                continue
            z, count, agreeing = points[row, column, 2], 0, 0
            for i in range(max(row - REACH, 0), min(row + REACH + 1, height)):
                for j in range(max(column - REACH, 0), min(column + REACH + 1, width)):
                    if valid[i, j] and (i != row or j != column):
                        near[count] = points[i, j, 2]
                        count += 1
                        agreeing += abs(points[i, j, 2] - z) <= tolerance
            # a cell on a cliff differs from the median but has neighbours of its own; a spike has neither
            spike[row, column] = count < 2 or (agreeing <= 2 and abs(np.median(near[:count]) - z) > tolerance)
    return spike


def remove_spikes(image: RangeImage, tolerance_mm: float = 6.0) -> SpikesRemoved:
    """Empty the cells whose depth neither the 5x5 median nor more than two neighbours share within `tolerance_mm`."""
    spike = _spikes(image.points, image.valid, tolerance_mm)
    valid = image.valid & ~spike
    points = np.where(valid[..., None], image.points, np.float32(0))
    return SpikesRemoved(RangeImage(points, valid), int(spike.sum()))
