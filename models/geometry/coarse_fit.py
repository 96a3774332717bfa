"""A fast, forgiving fit of two small oriented point sets, to judge many guesses of a pose.

Robust point-to-plane ICP (Geman-McClure weights, whose scale shrinks as it proceeds) with the nearest point found by
looking at all of them: for a few hundred points that beats a tree.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.rendering.compiled import compiled

STEPS = 10
WIDEST_MM, NARROWEST_MM = 25.0, 5.0
SPARSE_MM = 15.0
"""Neighbours of two sparse sets lie this far apart along the surface without meaning anything."""


class CoarseFit(NamedTuple):
    """x -> rotation @ x + translation, and how well the two surfaces then agree, from 0 to 1."""

    rotation: Float64[ndarray, "3 3"]
    translation: Float64[ndarray, " 3"]
    agreement: float


@compiled
def _nearest(x: float, y: float, z: float, others: ndarray) -> tuple[int, float]:
    best, index = 1e30, 0
    for k in range(others.shape[0]):
        dx, dy, dz = others[k, 0] - x, others[k, 1] - y, others[k, 2] - z
        square = dx * dx + dy * dy + dz * dz
        if square < best:
            best, index = square, k
    return index, best


@compiled
def _turn(vector: ndarray) -> ndarray:
    """Rotation matrix of a small rotation vector, by the unit quaternion that is nearest to it: exactly orthonormal."""
    length = np.sqrt(1 + 0.25 * (vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2))
    w, x, y, z = 1 / length, 0.5 * vector[0] / length, 0.5 * vector[1] / length, 0.5 * vector[2] / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


@compiled
def _agreement(points: ndarray, normals: ndarray, others: ndarray, other_normals: ndarray) -> float:
    """Mean over `points` of how close, level and parallel to its nearest other point each one lies, from 0 to 1."""
    total = 0.0
    for i in range(points.shape[0]):
        k, square = _nearest(points[i, 0], points[i, 1], points[i, 2], others)
        cosine, gap = 0.0, 0.0
        for m in range(3):
            cosine += normals[i, m] * other_normals[k, m]
            gap += (points[i, m] - others[k, m]) * other_normals[k, m]
        level = np.exp(-gap * gap / (NARROWEST_MM * NARROWEST_MM))
        total += max(cosine, 0.0) * level * np.exp(-(square - gap * gap) / (SPARSE_MM * SPARSE_MM))
    return total / points.shape[0]


@compiled
def _step(points: ndarray, others: ndarray, other_normals: ndarray, width: float) -> ndarray:
    """Small rotation vector and translation that bring `points` closer to the planes at their nearest `others`."""
    system, right, row = np.eye(6) * 1e-3, np.zeros(6), np.empty(6)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        k, square = _nearest(x, y, z, others)
        a, b, c = other_normals[k, 0], other_normals[k, 1], other_normals[k, 2]
        gap = a * (x - others[k, 0]) + b * (y - others[k, 1]) + c * (z - others[k, 2])
        share = 1.0 / (1.0 + square / (width * width))
        row[0], row[1], row[2] = y * c - z * b, z * a - x * c, x * b - y * a
        row[3], row[4], row[5] = a, b, c
        for m in range(6):
            right[m] -= share * share * row[m] * gap
            for n in range(6):
                system[m, n] += share * share * row[m] * row[n]
    return np.linalg.solve(system, right)


@compiled
def _fit(
    points: ndarray, normals: ndarray, others: ndarray, other_normals: ndarray, rotation: ndarray, translation: ndarray
) -> tuple[ndarray, ndarray, float]:
    for step in range(STEPS):
        moved = points @ rotation.T + translation
        width = WIDEST_MM * (NARROWEST_MM / WIDEST_MM) ** (step / (STEPS - 1))
        change = _step(moved, others, other_normals, width)
        turn = _turn(change[:3])
        rotation, translation = turn @ rotation, turn @ translation + change[3:]
    moved, turned = points @ rotation.T + translation, normals @ rotation.T
    one_way = _agreement(moved, turned, others, other_normals)
    return rotation, translation, 0.5 * (one_way + _agreement(others, other_normals, moved, turned))


def coarse_fit(
    points: Float64[ndarray, "n 3"],
    normals: Float64[ndarray, "n 3"],
    others: Float64[ndarray, "k 3"],
    other_normals: Float64[ndarray, "k 3"],
    rotation: Float64[ndarray, "3 3"],
    translation: Float64[ndarray, " 3"],
) -> CoarseFit:
    """Move `points` onto the surface `others`, from a guess within some 25 degrees and 25 mm."""
    arrays = (points, normals, others, other_normals, rotation, translation)
    return CoarseFit(*_fit(*(np.ascontiguousarray(array) for array in arrays)))
