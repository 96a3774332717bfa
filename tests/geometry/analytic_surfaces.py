"""Surfaces that formulas give."""

import numpy as np

from models.types import RangeImage, Scan


def height_field(depth, half_mm=90.0, count=121):
    """A mesh over a square whose z is `depth(x, y)`."""
    steps = np.linspace(-half_mm, half_mm, count)
    x, y = np.meshgrid(steps, steps)
    vertices = np.stack([x, y, depth(x, y)], axis=-1).reshape(-1, 3).astype(np.float32)
    number = np.arange(x.size, dtype=np.int32).reshape(x.shape)
    a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    return Scan(vertices, np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]))


def sampled(depth, grid):
    """A range image straight from a formula."""
    x, y = np.meshgrid(grid.columns_mm(), grid.rows_mm())
    points = np.stack([x, y, depth(x, y)], axis=-1).astype(np.float32)
    return RangeImage(points, np.ones(x.shape, bool))


def generic_depth(x, y):
    """Depth (mm) of a schematic face at x, y (mm from the nose tip): an ellipsoid with nose, orbits, lips and chin.

    Drawn by hand after adult facial proportions. It looks like nobody.
    """
    inside = np.clip(1 - (x / 76) ** 2 - ((y - 5) / 130) ** 2, 0, None)
    head = -117 + 97 * np.sqrt(inside)
    ridge = np.where(y < 0, np.exp(-((y / 9) ** 2)), np.clip(1 - y / 52, 0, None))
    nose = 20 * ridge * np.exp(-((x / np.where(y < 0, 13, 13 - 0.1 * np.clip(y, 0, 40))) ** 2))
    orbits = -8 * np.exp(-(((np.abs(x) - 32) / 14) ** 2) - ((y - 36) / 10) ** 2)
    lips = 5 * np.exp(-((x / 20) ** 2) - ((y + 30) / 12) ** 2)
    chin = 8 * np.exp(-((x / 20) ** 2) - ((y + 68) / 16) ** 2)
    return head + nose + orbits + lips + chin


def generic_face(spacing_mm=3.0):
    """`generic_depth` as a mesh over the ellipse of the face."""
    steps_x, steps_y = np.arange(-69, 69.1, spacing_mm), np.arange(-87, 93.1, spacing_mm)
    x, y = np.meshgrid(steps_x, steps_y)
    vertices = np.stack([x, y, generic_depth(x, y)], axis=-1).reshape(-1, 3).astype(np.float32)
    inside = ((x / 70) ** 2 + ((y - 3) / 92) ** 2 < 1).ravel()
    number = np.arange(x.size, dtype=np.int32).reshape(x.shape)
    a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    kept = triangles[inside[triangles].all(axis=1)]
    used, renumbered = np.unique(kept, return_inverse=True)
    return Scan(vertices[used], renumbered.reshape(-1, 3).astype(np.int32))
