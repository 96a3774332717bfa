"""Equations 5-7 of paper A: the normal of every cell from the plane that fits its 5x5 window best.

The plane is the total-least-squares one over x, y and z of the window's points (Hoffman & Jain 1987), so the normal is
the eigenvector of their scatter matrix with the smallest eigenvalue. Whole rows are done at once: window sums from
vertical and horizontal sums of moments, and the eigenvalue by Newton's method on the characteristic polynomial, from 0
upwards. Where the depth limit cuts a window, or the eigenvalue is nearly double and Newton slow, the cell is done
alone: its points one by one, then Jacobi rotations.
"""

import numpy as np
from numpy import ndarray

from models.geometry.eigenvectors import diagonalise, smallest_eigenvectors
from models.rendering.compiled import compiled
from models.types import NormalImages, RangeImage

REACH = 2
"""The window reaches two cells to every side: 5x5."""
FEWEST_POINTS = 4
MOMENTS = 10
FLAT_ENOUGH = 1e-6
"""Points whose middle eigenvalue is below this share of the largest lie on a line and have no plane."""
FAR = 1e30


@compiled
def _centre(points: ndarray, valid: ndarray) -> ndarray:
    """Mean of the valid points; moments taken about it lose no digits."""
    count, x, y, z = 0, 0.0, 0.0, 0.0
    for i in range(valid.shape[0]):
        for j in range(valid.shape[1]):
            if valid[i, j]:
                count, x, y, z = count + 1, x + points[i, j, 0], y + points[i, j, 1], z + points[i, j, 2]
    return np.array([x, y, z]) / max(count, 1)


@compiled
def _row_moments(points: ndarray, valid: ndarray, row: int, centre: ndarray, moments: ndarray) -> None:
    """Count, x, y, z, xx, xy, xz, yy, yz, zz of each cell about `centre`; rows 10 and 11 the least and greatest z."""
    for j in range(points.shape[1]):
        there = valid[row, j]
        one = 1.0 if there else 0.0
        x = points[row, j, 0] - centre[0] if there else 0.0
        y = points[row, j, 1] - centre[1] if there else 0.0
        z = points[row, j, 2] - centre[2] if there else 0.0
        at = j + REACH
        moments[0, at], moments[1, at], moments[2, at], moments[3, at] = one, x, y, z
        moments[4, at], moments[5, at], moments[6, at] = x * x, x * y, x * z
        moments[7, at], moments[8, at], moments[9, at] = y * y, y * z, z * z
        moments[10, at] = z if there else FAR
        moments[11, at] = z if there else -FAR


@compiled
def _sum_windows(moments: ndarray, column: ndarray, total: ndarray) -> None:
    """Sum five rows of moments, then five neighbours along the row; the last two planes take minimum and maximum."""
    width = total.shape[1]
    for m in range(MOMENTS):
        for j in range(width + 2 * REACH):
            column[j] = moments[0, m, j] + moments[1, m, j] + moments[2, m, j] + moments[3, m, j] + moments[4, m, j]
        for j in range(width):
            total[m, j] = column[j] + column[j + 1] + column[j + 2] + column[j + 3] + column[j + 4]
    for m, sign in ((MOMENTS, 1.0), (MOMENTS + 1, -1.0)):
        for j in range(width + 2 * REACH):
            least = sign * moments[0, m, j]
            for i in range(1, 2 * REACH + 1):
                other = sign * moments[i, m, j]
                least = other if other < least else least
            column[j] = least
        for j in range(width):
            least = column[j]
            for i in range(1, 2 * REACH + 1):
                least = column[j + i] if column[j + i] < least else least
            total[m, j] = sign * least


@compiled
def _fit_cell(points: ndarray, valid: ndarray, row: int, column: int, limit: float, out: ndarray) -> bool:
    """Fit the plane of one window point by point; False where fewer than four points, or points on a line, remain."""
    scatter, vectors = np.zeros((3, 3)), np.empty((3, 3))
    mean, offset = np.zeros(3), np.empty(3)
    count = 0
    for i in range(max(row - REACH, 0), min(row + REACH + 1, points.shape[0])):
        for j in range(max(column - REACH, 0), min(column + REACH + 1, points.shape[1])):
            if not valid[i, j] or abs(np.float64(points[i, j, 2]) - points[row, column, 2]) > limit:
                continue
            count += 1
            for k in range(3):  # Welford's update: exact however far the window is from the origin
                offset[k] = np.float64(points[i, j, k]) - points[row, column, k] - mean[k]
            for k in range(3):
                mean[k] += offset[k] / count
                for m in range(3):
                    scatter[k, m] += offset[k] * offset[m] * (count - 1) / count
    if count < FEWEST_POINTS:
        return False
    diagonalise(scatter, vectors)
    best = 0
    for k in range(1, 3):
        best = k if scatter[k, k] < scatter[best, best] else best
    first, second = scatter[(best + 1) % 3, (best + 1) % 3], scatter[(best + 2) % 3, (best + 2) % 3]
    if min(first, second) <= FLAT_ENOUGH * max(first, second):
        return False
    sign = 1.0 if vectors[2, best] >= 0.0 else -1.0
    for k in range(3):
        out[k] = sign * vectors[k, best]
    return True


@compiled
def _fit_image(points: ndarray, valid: ndarray, limit: float) -> tuple[ndarray, ndarray]:
    height, width = valid.shape
    centre = _centre(points, valid)
    normals, fitted = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.bool_)
    moments = np.zeros((2 * REACH + 1, MOMENTS + 2, width + 2 * REACH))
    moments[:, MOMENTS], moments[:, MOMENTS + 1] = FAR, -FAR
    column, total, solution = np.empty(width + 2 * REACH), np.empty((MOMENTS + 2, width)), np.empty((4, width))
    for row in range(-REACH, height):
        slot, ahead = (row + 3 * REACH + 1) % (2 * REACH + 1), row + REACH
        if ahead < height:
            _row_moments(points, valid, ahead, centre, moments[slot])
        else:
            moments[slot] = 0.0
            moments[slot, MOMENTS], moments[slot, MOMENTS + 1] = FAR, -FAR
        if row < 0:
            continue
        _sum_windows(moments, column, total)
        smallest_eigenvectors(total, solution)
        for j in range(width):
            if not valid[row, j] or total[0, j] < FEWEST_POINTS:
                continue
            z = points[row, j, 2] - centre[2]
            uncut = z - total[MOMENTS, j] < limit and total[MOMENTS + 1, j] - z < limit
            if uncut and solution[3, j] == 1.0:
                normals[row, j, 0], normals[row, j, 1], normals[row, j, 2] = (
                    solution[0, j],
                    solution[1, j],
                    solution[2, j],
                )
                fitted[row, j] = True
            else:
                fitted[row, j] = _fit_cell(points, valid, row, j, limit, normals[row, j])
    return normals, fitted


def plane_fit_normals(image: RangeImage, depth_limit_mm: float = 8.0) -> NormalImages:
    """Unit normals, towards the camera (nz >= 0), of the total-least-squares planes of the 5x5 windows.

    A neighbour counts if it is valid and its z is within `depth_limit_mm` of the centre's, which keeps two surfaces
    apart. Cells with fewer than four such points, or with all of them on one line, are not valid.
    """
    return NormalImages(*_fit_image(image.points, image.valid, depth_limit_mm))
