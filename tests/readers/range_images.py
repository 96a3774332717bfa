"""Range images that formulas give, as a scanner stores them."""

import numpy as np

from models.types import RangeImage


def relief(rows=24, columns=32, spacing_mm=1.5, away_mm=0.0, holes=True):
    """A smooth bump seen from the camera, `away_mm` before it, with a few cells missing."""
    x, y = np.meshgrid(np.arange(columns) - (columns - 1) / 2, (rows - 1) / 2 - np.arange(rows))
    x, y = x * spacing_mm, y * spacing_mm
    z = 30 * np.exp(-(x**2 + y**2) / 500) - away_mm + 0.37 * np.sin(x)
    valid = np.ones(z.shape, bool)
    if holes:
        valid[:2], valid[9:12, 5:7], valid[-1, -1] = False, False, False
    points = np.stack([x, y, z], axis=-1).astype(np.float32)
    return RangeImage(np.where(valid[..., None], points, np.float32(0)), valid)


def facing(scan):
    """The z of every triangle's normal: positive where it is seen from the camera."""
    a, b, c = np.moveaxis(scan.vertices[scan.triangles].astype(np.float64), 1, 0)
    return np.cross(b - a, c - a)[:, 2]


def slow_triangles(image):
    """Two triangles for every four neighbours, cell by cell, as sets of the vertices' numbers."""
    number = {place: count for count, place in enumerate(zip(*np.nonzero(image.valid), strict=True))}
    found = set()
    for i in range(image.valid.shape[0] - 1):
        for j in range(image.valid.shape[1] - 1):
            for corners in (((i, j), (i + 1, j), (i, j + 1)), ((i, j + 1), (i + 1, j), (i + 1, j + 1))):
                if all(corner in number for corner in corners):
                    found.add(tuple(sorted(number[corner] for corner in corners)))
    return found
