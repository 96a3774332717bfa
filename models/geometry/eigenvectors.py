"""Eigenvectors of many symmetric 3x3 matrices: fast for a row of them, and slow but sure for one.

Newton's method on the characteristic polynomial climbs from 0 to the smallest root of a positive matrix without
overshooting. Near a double root it is slow and the answer ill-conditioned; then the Jacobi method has to be used.
"""

import numpy as np
from numpy import ndarray

from models.rendering.compiled import compiled

NEWTON_STEPS = 5
CONVERGED = 1e-9
WELL_SEPARATED = 1e-3
"""Least product of the gaps to the other two eigenvalues, at trace 1, for which Newton's answer is taken."""


@compiled
def smallest_eigenvectors(total: ndarray, solution: ndarray) -> None:
    """Normal in rows 0-2 of `solution`, and in row 3 whether it can be trusted (1) or not (0), without branches."""
    for j in range(total.shape[1]):
        share = 1.0 / max(total[0, j], 1.0)
        x, y, z = total[1, j] * share, total[2, j] * share, total[3, j] * share
        xx, xy, xz = total[4, j] * share - x * x, total[5, j] * share - x * y, total[6, j] * share - x * z
        yy, yz, zz = total[7, j] * share - y * y, total[8, j] * share - y * z, total[9, j] * share - z * z
        scale = 1.0 / (xx + yy + zz + 1e-30)
        xx, xy, xz, yy, yz, zz = xx * scale, xy * scale, xz * scale, yy * scale, yz * scale, zz * scale
        second = xx * yy - xy * xy + xx * zz - xz * xz + yy * zz - yz * yz
        third = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
        smallest, step = 0.0, 0.0
        for _ in range(NEWTON_STEPS):
            value = ((smallest - 1.0) * smallest + second) * smallest - third
            slope = (3.0 * smallest - 2.0) * smallest + second
            step = value / slope
            smallest -= step
        gaps = (3.0 * smallest - 2.0) * smallest + second
        xx, yy, zz = xx - smallest, yy - smallest, zz - smallest
        # the adjugate of (scatter - eigenvalue) is gaps * n n', so each of its columns is a multiple of the normal
        nxx, nyy, nzz = yy * zz - yz * yz, xx * zz - xz * xz, xx * yy - xy * xy
        nxy, nxz, nyz = xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz
        use_x = nxx > nyy and nxx > nzz
        use_y = nyy > nzz
        nx = nxx if use_x else (nxy if use_y else nxz)
        ny = nxy if use_x else (nyy if use_y else nyz)
        nz = nxz if use_x else (nyz if use_y else nzz)
        length = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz)
        length = length if nz >= 0.0 else -length
        solution[0, j], solution[1, j], solution[2, j] = nx * length, ny * length, nz * length
        solution[3, j] = 1.0 if abs(step) < CONVERGED and gaps > WELL_SEPARATED else 0.0


@compiled
def diagonalise(matrix: ndarray, vectors: ndarray) -> None:
    """Diagonalise the symmetric 3x3 `matrix` in place; the columns of `vectors` become its eigenvectors."""
    for p in range(3):
        for q in range(3):
            vectors[p, q] = 1.0 if p == q else 0.0
    for sweep in range(3 * 12):
        p, q = (sweep % 3) // 2, 1 + (sweep % 3 + 1) // 2  # (0, 1), (0, 2), (1, 2) in turn
        off = matrix[p, q]
        if off == 0.0:
            continue
        angle = 0.5 * np.arctan2(2 * off, matrix[q, q] - matrix[p, p])
        c, s = np.cos(angle), np.sin(angle)
        for k in range(3):
            a, b = matrix[k, p], matrix[k, q]
            matrix[k, p], matrix[k, q] = c * a - s * b, s * a + c * b
        for k in range(3):
            a, b = matrix[p, k], matrix[q, k]
            matrix[p, k], matrix[q, k] = c * a - s * b, s * a + c * b
            a, b = vectors[k, p], vectors[k, q]
            vectors[k, p], vectors[k, q] = c * a - s * b, s * a + c * b
        matrix[p, q] = matrix[q, p] = 0.0
