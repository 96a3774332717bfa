"""Which vertex each landmark means, and how detected landmarks err: from pictures whose truth is known."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int32, Int64
from numpy import ndarray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from models.morphable.landmark_calibration import LandmarkErrors
from models.photos.alignment import similarity, template_points
from models.photos.points import five_points
from models.reconstructors.building.views import View

MATCHING_VIEWS = 120
ROBUST_MM = 3.0
HIDDEN_SHARE = 0.05
LEAST_DEVIATION = 0.5 / 224
"""Half a pixel of the usual crop: no point is trusted further, whatever these pictures say of it."""


def skin(triangles: Int32[ndarray, "m 3"], count: int) -> Bool[ndarray, " n"]:
    """The vertices of the largest piece of the face: not the eyeballs, over which the lids slide."""
    first, second = triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()
    _, piece = connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(count, count)))
    return piece == np.bincount(piece).argmax()


def match_vertices(views: list[View], allowed: Bool[ndarray, " n"]) -> Int64[ndarray, " 468"]:
    """For each landmark the vertex that lies under it over all views: least mean Huber distance, in mm.

    A view counts as much as it shows the vertex squarely. Open mouths and closed eyes tell the lips and lids apart.
    """
    chosen = views[:: max(1, len(views) // MATCHING_VIEWS)]
    candidates = np.flatnonzero(allowed)
    projected = np.stack([view.projected[candidates] / view.px_per_mm for view in chosen])
    weight = np.clip(np.stack([view.facing[candidates] for view in chosen]), HIDDEN_SHARE, 1)
    found = np.stack([view.landmarks[:, :2] / view.px_per_mm for view in chosen])
    matched = [_nearest(projected, weight / weight.sum(axis=0), found[:, place]) for place in range(found.shape[1])]
    return candidates[np.array(matched)]


def _nearest(projected: Float[ndarray, "v n 2"], weight: Float[ndarray, "v n"], found: Float[ndarray, "v 2"]) -> int:
    distance = np.linalg.norm(projected - found[:, None], axis=-1)
    robust = np.where(distance <= ROBUST_MM, distance**2, 2 * ROBUST_MM * distance - ROBUST_MM**2)
    return int((weight * robust).sum(axis=0).argmin())


def in_crop(view: View, vector_px: Float[ndarray, "p 2"]) -> Float64[ndarray, "p 2"]:
    """Displacements in the picture as fractions of the side of the crop that the view's landmarks align."""
    linear = similarity(template_points(1), five_points(view.landmarks).astype(np.float64))[:, :2]
    return np.linalg.solve(linear, vector_px.T.astype(np.float64)).T


def describe_errors(errors: Float64[ndarray, "v p 2"], habits: int) -> LandmarkErrors:
    """Mean, the leading `habits` principal components times their standard deviation, and the root mean square of
    what these leave of each point, a coordinate.
    """
    bias = errors.mean(axis=0)
    centred = (errors - bias).reshape(len(errors), -1)
    _, size, axes = np.linalg.svd(centred / np.sqrt(len(errors)), full_matrices=False)
    together = size[:habits, None] * axes[:habits]
    rest = np.maximum((centred**2).mean(axis=0) - (together**2).sum(axis=0), 0).reshape(-1, 2).mean(axis=1)
    return LandmarkErrors(
        bias.astype(np.float32),
        together.reshape(habits, -1, 2).astype(np.float32),
        np.sqrt(rest + LEAST_DEVIATION**2).astype(np.float32),
    )
