"""Fill the small interior holes of a range image."""

from typing import NamedTuple

import numpy as np
from numpy import ndarray
from scipy import ndimage

from models.rendering.compiled import compiled
from models.types import RangeImage


class HolesFilled(NamedTuple):
    """The image with its holes filled, how many there were, how many cells they had, and how many were too large."""

    image: RangeImage
    holes: int
    cells: int
    left_open: int


@compiled
def _relax(depth: ndarray, rows: ndarray, columns: ndarray, sweeps: int) -> None:
    """Gauss-Seidel sweeps of the Laplace equation over the listed cells, none of them on the border of the image."""
    for sweep in range(sweeps):
        for k in range(len(rows)):
            at = k if sweep % 2 == 0 else len(rows) - 1 - k
            i, j = rows[at], columns[at]
            depth[i, j] = 0.25 * (depth[i - 1, j] + depth[i + 1, j] + depth[i, j - 1] + depth[i, j + 1])


def fill_holes(image: RangeImage, largest_cells: int = 400) -> HolesFilled:
    """Give every hole of at most `largest_cells` cells the membrane its rim spans (Laplace's equation on x, y and z).

    A hole is a 4-connected region of empty cells that does not touch the border of the image.
    """
    labels: ndarray = np.empty(image.valid.shape, np.int32)
    count = int(ndimage.label(~image.valid, output=labels))  # pyright: ignore[reportArgumentType]
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    outside = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    interior = np.ones(count + 1, bool)
    interior[outside] = interior[0] = False
    chosen = interior & (sizes <= largest_cells)
    hole = chosen[labels]
    if not hole.any():
        return HolesFilled(image, 0, 0, int((interior & ~chosen).sum()))
    points = image.points.astype(np.float64)
    nearest: ndarray = np.empty((2, *hole.shape), np.int32)
    ndimage.distance_transform_edt(~image.valid, return_distances=False, return_indices=True, indices=nearest)
    points[hole] = image.points[nearest[0][hole], nearest[1][hole]]
    rows, columns = np.nonzero(hole)
    for axis in range(3):
        _relax(points[..., axis], rows, columns, 8 + 4 * int(np.sqrt(sizes[chosen].max())))
    filled = RangeImage(points.astype(np.float32), image.valid | hole)
    return HolesFilled(filled, int(chosen.sum()), int(hole.sum()), int((interior & ~chosen).sum()))
