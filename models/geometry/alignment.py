"""Rigid motions between point sets: Kabsch, Procrustes, and ICP to a template."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray
from scipy.spatial import KDTree

from models.errors import ScanError


class Similarity(NamedTuple):
    """x -> scale * rotation @ x + translation."""

    rotation: Float64[ndarray, "3 3"]
    translation: Float64[ndarray, " 3"]
    scale: float

    def apply(self, points: Float[ndarray, "n 3"]) -> Float64[ndarray, "n 3"]:
        """Move `points`."""
        return self.scale * (points @ self.rotation.T) + self.translation

    def after(self, first: "Similarity") -> "Similarity":
        """The motion that does `first` and then this one."""
        moved = self.scale * self.rotation @ first.translation + self.translation
        return Similarity(self.rotation @ first.rotation, moved, self.scale * first.scale)


IDENTITY = Similarity(np.eye(3), np.zeros(3), 1.0)


def kabsch(source: Float[ndarray, "n 3"], target: Float[ndarray, "n 3"]) -> Float64[ndarray, "3 3"]:
    """Rotation that takes `source` closest to `target`, both about their own origin. Kabsch 1976, never a mirror."""
    u, _, vt = np.linalg.svd(target.astype(np.float64).T @ source.astype(np.float64))
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt


def procrustes(source: Float[ndarray, "n 3"], target: Float[ndarray, "n 3"], with_scale: bool = False) -> Similarity:
    """Least-squares motion from `source` to `target` (Umeyama 1991); size is kept unless `with_scale`."""
    from_mean, to_mean = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    moved, fixed = source - from_mean, target - to_mean
    rotation = kabsch(moved, fixed)
    spread = float((moved * moved).sum())
    scale = float((fixed * (moved @ rotation.T)).sum()) / spread if with_scale and spread > 0 else 1.0
    return Similarity(rotation, to_mean - scale * rotation @ from_mean, scale)


class IcpResult(NamedTuple):
    """The motion found, the root mean square point-to-plane distance of the pairs kept, and the steps."""

    motion: Similarity
    rmse_mm: float
    steps: int
    converged: bool


def small_rotation(vector: Float64[ndarray, " 3"]) -> Float64[ndarray, "3 3"]:
    """Rotation by |vector| radians about `vector` (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _step(moved: ndarray, normals: ndarray, gap: ndarray) -> Similarity:
    """The small motion that least squares asks for: gap = n.(p - q), linear in the rotation vector and translation."""
    pivot = moved.mean(axis=0)
    arms = moved - pivot
    (px, py, pz), (nx, ny, nz) = arms.T, normals.T
    rows = np.stack([py * nz - pz * ny, pz * nx - px * nz, px * ny - py * nx, nx, ny, nz], axis=1)
    # a touch of damping keeps motions along a symmetric surface, which no pair sees, at zero
    system = rows.T @ rows + np.diag([1e-3 * len(moved)] * 3 + [1e-6 * len(moved)] * 3)
    solution = np.linalg.solve(system, -rows.T @ gap)
    rotation = small_rotation(solution[:3])
    return Similarity(rotation, pivot + solution[3:] - rotation @ pivot, 1.0)


class _Surface(NamedTuple):
    points: Float[ndarray, "k 3"]
    normals: Float[ndarray, "k 3"]
    tree: KDTree
    trim: float
    slack_mm: float

    def step(self, moved: Float64[ndarray, "n 3"]) -> tuple[Similarity, float]:
        """The next small motion of `moved`, and the root mean square gap of the pairs behind it."""
        distance, index = self.tree.query(moved)
        normals = self.normals[index]
        gap = np.einsum("nk,nk->n", moved - self.points[index], normals)
        beside = np.sqrt(np.maximum(distance**2 - gap**2, 0)) < self.slack_mm
        if beside.sum() < max(6, len(moved) // 4):
            raise ScanError(f"alignment: only {beside.sum()} of {len(moved)} points lie over the template; not a face?")
        kept = beside & (np.abs(gap) <= np.quantile(np.abs(gap[beside]), self.trim))
        return _step(moved[kept], normals[kept], gap[kept]), float(np.sqrt(np.mean(gap[kept] ** 2)))


STAGES = ((0.3, 0.3), (1.0, 0.05))
"""Share of the points, and the largest motion of any point (mm) at which the stage has converged."""


def icp(
    source: Float[ndarray, "n 3"],
    target: Float[ndarray, "k 3"],
    target_normals: Float[ndarray, "k 3"],
    start: Similarity = IDENTITY,
    *,
    most_points: int = 800,
    most_steps: int = 30,
    trim: float = 0.8,
    slack_mm: float = 8.0,
) -> IcpResult:
    """Rigid motion from `source` onto the surface `target`, point to plane (Chen & Medioni 1992), trimmed.

    Every step pairs a subsample of `source` with the nearest points of `target`. Pairs farther apart than `slack_mm`
    along the surface reach over its border and do not count; of the rest the closest share `trim` does (Chetverikov
    et al. 2002). A few points go first, then `most_points`, until a step moves none by 0.05 mm. Raises `ScanError`
    where fewer than a quarter of the points find a partner.
    """
    surface = _Surface(target, target_normals, KDTree(target), trim, slack_mm)
    motion, steps, rmse_mm, converged = start, 0, np.inf, False
    for share, tolerance_mm in STAGES:
        chosen = source[:: max(1, len(source) // int(share * most_points))].astype(np.float64)
        converged = False
        while steps < most_steps and not converged:
            moved = motion.apply(chosen)
            change, rmse_mm = surface.step(moved)
            motion, steps = change.after(motion), steps + 1
            converged = bool(np.abs(change.apply(moved) - moved).max() < tolerance_mm)
    return IcpResult(motion, rmse_mm, steps, converged)
