"""A morphable model fitted to points seen in a picture: the classical, training-free reconstruction.

Model and prior after Blanz & Vetter 1999, robust loss after Huber 1964. Pose and coefficients are unknowns of one
Gauss-Newton step: what a turned head and a longer nose have in common is settled at once, where solving for the one
and the other in turn creeps.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.geometry.alignment import small_rotation
from models.geometry.point_pose import RigidPose, orthographic_pose
from models.rendering.camera import PerspectiveCamera

HUBER = 2.0
"""Standard deviations beyond which a point pulls with constant force only."""
MOST_STEPS, MOST_HALVINGS = 40, 8
SETTLED = 1e-6
"""Relative fall of the cost at which the fit has converged."""


class PointModel(NamedTuple):
    """A morphable model at its landmarks, mm: the mean, and one basis of identity and expression together."""

    mean: Float64[ndarray, "p 3"]
    basis: Float64[ndarray, "c p 3"]


class PointNoise(NamedTuple):
    """How detected points differ from the true ones, pixels: `bias` always, `habits` together (each times a standard
    normal number), `deviation` each for itself. A point of infinite deviation is not used.
    """

    bias: Float64[ndarray, "p 2"]
    habits: Float64[ndarray, "h p 2"]
    deviation: Float64[ndarray, " p"]


class PointFit(NamedTuple):
    """Coefficients in standard deviations, and pose. `residuals` (pixels) is what is left of each point once pose, face
    and habits are taken off; `misfit` the root of what was minimised, a number seen: about 1 or less for a face.
    """

    coefficients: Float64[ndarray, " c"]
    pose: RigidPose
    residuals: Float64[ndarray, "p 2"]
    misfit: float
    steps: int
    converged: bool


def independent_noise(count: int, deviation_px: float) -> PointNoise:
    """Every point off by as much, each for itself."""
    return PointNoise(np.zeros((count, 2)), np.empty((0, count, 2)), np.full(count, deviation_px))


def fit_points(
    model: PointModel, seen: Float64[ndarray, "p 2"], noise: PointNoise, camera: PerspectiveCamera
) -> PointFit:
    """The most probable face behind the points `seen` (pixel frame) if they are off as `noise` says.

    Minimises sum huber(|projected + bias + habits - seen| / deviation) + |coefficients|^2 + |habits|^2 by Gauss-Newton
    with iteratively reweighted least squares, from `orthographic_pose` of the mean face. Raises `ValueError` where
    that has none.
    """
    used = np.isfinite(noise.deviation)
    wanted = seen - noise.bias
    whole = _Problem(model.mean, model.basis, noise.habits, wanted, noise.deviation, camera)
    part = _Problem(
        model.mean[used], model.basis[:, used], noise.habits[:, used], wanted[used], noise.deviation[used], camera
    )
    start = orthographic_pose(part.mean, part.seen, camera)
    rigid = part._replace(basis=part.basis[:0], habits=part.habits[:0])
    pose = _minimise(rigid, _State(start, np.zeros(0), np.zeros(0))).state.pose
    found = _minimise(part, _State(pose, np.zeros(len(part.basis)), np.zeros(len(part.habits))))
    return PointFit(
        coefficients=found.state.coefficients,
        pose=found.state.pose,
        residuals=_look(whole, found.state).residuals,
        misfit=float(np.sqrt(_cost(part, found.state) / part.seen.size)),
        steps=found.steps,
        converged=found.converged,
    )


class _Problem(NamedTuple):
    """What stays fixed while the fit proceeds."""

    mean: Float64[ndarray, "p 3"]
    basis: Float64[ndarray, "c p 3"]
    habits: Float64[ndarray, "h p 2"]
    seen: Float64[ndarray, "p 2"]
    deviation: Float64[ndarray, " p"]
    camera: PerspectiveCamera


class _State(NamedTuple):
    """The unknowns."""

    pose: RigidPose
    coefficients: Float64[ndarray, " c"]
    habits: Float64[ndarray, " h"]

    def moved(self, change: Float64[ndarray, " u"]) -> "_State":
        """Three of rotation (radians, camera frame), three of translation, coefficients, habits further."""
        turn = RigidPose(small_rotation(change[:3]) @ self.pose.rotation, self.pose.translation + change[3:6])
        coefficients, habits = np.split(change[6:], [len(self.coefficients)])
        return _State(turn, self.coefficients + coefficients, self.habits + habits)


class _Look(NamedTuple):
    """The points turned about the face's origin, then placed before the camera (mm), and seen minus projected."""

    turned: Float64[ndarray, "p 3"]
    placed: Float64[ndarray, "p 3"]
    residuals: Float64[ndarray, "p 2"]


class _Minimum(NamedTuple):
    """Where the search ended."""

    state: _State
    steps: int
    converged: bool


def _look(problem: _Problem, state: _State) -> _Look:
    shape = problem.mean + np.tensordot(state.coefficients, problem.basis, axes=1)
    turned = shape @ state.pose.rotation.T
    placed = turned + state.pose.translation
    scale = problem.camera.focal_px / -placed[:, 2:]
    projected = placed[:, :2] * scale * [1, -1] + problem.camera.centre_xy
    return _Look(turned, placed, problem.seen - projected - np.tensordot(state.habits, problem.habits, axes=1))


def _cost(problem: _Problem, state: _State) -> float:
    """What `fit_points` minimises; infinite with a point behind the camera."""
    look = _look(problem, state)
    if not (look.placed[:, 2] < 0).all():
        return np.inf
    gap = np.linalg.norm(look.residuals, axis=1) / problem.deviation
    robust = np.where(gap <= HUBER, gap**2, 2 * HUBER * gap - HUBER**2)
    return float(robust.sum() + state.coefficients @ state.coefficients + state.habits @ state.habits)


def _minimise(problem: _Problem, state: _State) -> _Minimum:
    """Gauss-Newton; a step that does not lower the cost is halved, and ends the search when that does not help."""
    cost = _cost(problem, state)
    for step in range(1, MOST_STEPS + 1):
        change = _step(problem, state)
        for _ in range(MOST_HALVINGS):
            further = state.moved(change)
            lower = _cost(problem, further)
            if lower < cost:
                break
            change = change / 2
        else:
            return _Minimum(state, step, converged=True)
        settled = cost - lower <= SETTLED * cost
        state, cost = further, lower
        if settled:
            return _Minimum(state, step, converged=True)
    return _Minimum(state, MOST_STEPS, converged=False)


def _step(problem: _Problem, state: _State) -> Float64[ndarray, " u"]:
    """The minimum of the cost's quadratic model at `state`, relative to it."""
    look = _look(problem, state)
    gap = np.linalg.norm(look.residuals, axis=1) / problem.deviation
    weight = np.minimum(1, HUBER / np.maximum(gap, 1e-12)) / problem.deviation**2
    rows = _derivatives(problem, state, look)
    weighted = rows * np.repeat(weight, 2)[:, None]
    prior = np.concatenate([state.coefficients, state.habits])
    normal, right = rows.T @ weighted, weighted.T @ look.residuals.ravel()
    normal[6:, 6:] += np.eye(len(prior))
    right[6:] -= prior
    return np.linalg.solve(normal, right)


def _derivatives(problem: _Problem, state: _State, look: _Look) -> Float64[ndarray, "q u"]:
    """How the projected points, x and y in turn, move with the unknowns."""
    count, shapes = len(problem.mean), len(problem.basis)
    (x, y, z), none = look.turned.T, np.zeros(count)
    in_space = np.empty((count, 3, 6 + shapes))
    in_space[:, :, 0] = np.stack([none, -z, y], axis=1)
    in_space[:, :, 1] = np.stack([z, none, -x], axis=1)
    in_space[:, :, 2] = np.stack([-y, x, none], axis=1)
    in_space[:, :, 3:6] = np.eye(3)
    in_space[:, :, 6:] = (problem.basis @ state.pose.rotation.T).transpose(1, 2, 0)
    scale = problem.camera.focal_px / -look.placed[:, 2]
    slope = look.placed[:, :2] / look.placed[:, 2:]
    lens = np.zeros((count, 2, 3))
    lens[:, 0, 0], lens[:, 1, 1] = scale, -scale
    lens[:, 0, 2], lens[:, 1, 2] = -scale * slope[:, 0], scale * slope[:, 1]
    return np.concatenate([lens @ in_space, problem.habits.transpose(1, 2, 0)], axis=2).reshape(2 * count, -1)
