"""The 68 iBUG 300-W landmarks and the five of face alignment, as vertices of the head.

Points are found on the left half of the image (the person's right) and on the midline, and mirrored: the base mesh is
symmetric. The lid margins and the inner lips are loops of the mesh, the rest is looked up on the base head.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.morphable.building.head_mesh import Head
from models.morphable.building.regions import BROW_ARC
from models.morphable.building.surface import arcs, vertex_normals


class Landmarks(NamedTuple):
    """Vertex indices of the 68 points, and the five points as weighted means of four vertices."""

    points68: NDArray[np.int32]
    five_vertices: NDArray[np.int32]
    five_weights: NDArray[np.float32]
    nose_tip: int


def place_landmarks(head: Head, face_skin: NDArray[np.bool_], lips: NDArray[np.float64]) -> Landmarks:
    """All landmarks of the base head."""
    m = _mirror(head)
    tip = nose_tip(head)
    jaw = _jaw(head, face_skin)
    brow = [_near(head, x, y, face_skin) for x, y in -_brow_points()[:, :1] * [1, 0] + _brow_points() * [0, 1]]
    ridge = [_midline(head, y) for y in np.linspace(733.0, head.base[tip, 1], 4)[:3]] + [tip]
    nostril = [_near(head, x, y, face_skin) for x, y in ((-12.5, 681.5), (-6.0, 679.5), (0.0, 678.5))]
    eye = _eye(head, head.lid_loops[0])
    outer, inner = _mouth(head, lips)
    other_eye = [m[eye[i]] for i in (3, 2, 1, 0, 5, 4)]
    points = [*jaw, *(m[v] for v in jaw[7::-1]), *brow, *(m[v] for v in brow[::-1]), *ridge, *nostril]
    points += [m[nostril[1]], m[nostril[0]], *eye, *other_eye, *_both_sides(outer, m, 4), *_both_sides(inner, m, 3)]
    p = np.array(points, dtype=np.int32)
    groups = [p[[36, 37, 39, 40]], p[[42, 43, 45, 46]], p[[30] * 4], p[[48] * 4], p[[54] * 4]]
    weights = np.array([[0.25] * 4] * 2 + [[1.0, 0, 0, 0]] * 3, dtype=np.float32)
    return Landmarks(p, np.array(groups, dtype=np.int32), weights, int(tip))


def _mirror(head: Head) -> NDArray[np.int64]:
    """Index of each vertex's mirror image."""
    distance, index = cKDTree(head.base).query(head.base * [-1, 1, 1])
    if distance.max() > 1.0:
        raise AssertionError(f"the base head is not symmetric: {distance.max():.2f} mm")
    return index


def nose_tip(head: Head) -> int:
    """The most forward vertex."""
    return int(np.argmax(np.where(np.abs(head.base[:, 0]) < 1.0, head.base[:, 2], -np.inf)))


def _near(head: Head, x: float, y: float, among: NDArray[np.bool_]) -> int:
    """The frontmost-facing vertex nearest to a point of the frontal view."""
    distance = np.hypot(head.base[:, 0] - x, 1.2 * (head.base[:, 1] - y))
    return int(np.argmin(np.where(among & (head.base[:, 2] > 90), distance, np.inf)))


def _midline(head: Head, y: float) -> int:
    """The frontmost vertex of the midline at a height."""
    score = np.abs(head.base[:, 1] - y) + np.where(np.abs(head.base[:, 0]) < 0.5, 0, 1e6)
    return int(np.argmin(score + np.where(head.base[:, 2] > 120, 0, 1e6)))


def _jaw(head: Head, face_skin: NDArray[np.bool_]) -> list[int]:
    """Nine points of the frontal outline from beside the (image) left eye down to the chin."""
    x, y, z = head.base.T
    angle = np.degrees(np.arctan2(700.0 - y, -x))
    frontal = vertex_normals(head.base, head.triangles)[:, 2] > np.interp(angle, [10.0, 50.0, 90.0], [-1.0, 0.0, 0.05])
    among = np.flatnonzero(face_skin & (x < 0.5) & (y < 740) & (z > 70) & frontal)
    angle = angle[among]
    reach = np.hypot(x[among], 700.0 - y[among])
    chosen: list[int] = []
    for wanted in np.linspace(-22.0, 90.0, 9):
        score = reach - 1.2 * np.abs(angle - wanted)
        chosen.append(int(among[np.argmax(np.where(np.abs(angle - wanted) < 6.0, score, -np.inf))]))
    return chosen


def _brow_points() -> NDArray[np.float64]:
    """Five points of a brow, outer to inner, in the frontal view (x as a positive distance from the midline)."""
    along = np.linspace(5, 0.0, 5)
    return np.stack([np.interp(along, range(6), BROW_ARC[:, axis]) for axis in (0, 1)], axis=1)


def _at(head: Head, arc: NDArray[np.int64], fraction: float) -> int:
    """Vertex of an arc at a fraction of its width."""
    x = head.base[arc, 0]
    return int(arc[np.argmin(np.abs(x - (x.min() + fraction * np.ptp(x))))])


def _eye(head: Head, loop: NDArray[np.int64]) -> list[int]:
    """Outer corner, two upper, inner corner, two lower, of the eye on the left of the image."""
    upper, lower = arcs(loop, head.base)
    third, two = 0.33, 0.67
    return [
        int(upper[0]), _at(head, upper, third), _at(head, upper, two),
        int(upper[-1]), _at(head, lower, two), _at(head, lower, third),
    ]  # fmt: skip


def _mouth(head: Head, lips: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """Left half and middle of the outer and the inner lip lines: upper from the corner, then lower."""
    x, y, z = head.base.T
    red = (lips > 0.4) & (z > 120)
    corner = int(np.argmin(np.where(red, x, np.inf)))
    half = -x[corner]

    def edge(fraction: float, upper: bool) -> int:
        column = np.flatnonzero(red & (np.abs(x + half * fraction) < (2.8 if fraction else 0.5)))
        return int(column[np.argmax(y[column] if upper else -y[column])])

    outer = [corner, *(edge(part, True) for part in (0.6, 0.2, 0.0)), *(edge(part, False) for part in (0.0, 0.25, 0.6))]
    top, bottom = arcs(head.mouth_loop, head.base)
    inner = [int(top[0]), _at(head, top, 0.27), _at(head, top, 0.5), _at(head, bottom, 0.5), _at(head, bottom, 0.27)]
    return outer, inner


def _both_sides(half: list[int], mirror: NDArray[np.int64], upper: int) -> list[int]:
    """A closed lip line from its left corner over the top, the right corner and the bottom, from its left half."""
    top, bottom = half[:upper], half[upper:]
    right_top = [int(mirror[v]) for v in top[:-1][::-1]]
    right_bottom = [int(mirror[v]) for v in bottom[1:][::-1]]
    return [*top, *right_top, *right_bottom, bottom[0], *bottom[1:]]
