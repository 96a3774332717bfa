"""A z-buffer: which triangle, and where in it, each pixel sees.

Corners are snapped to 1/65,536 of a pixel and the edge functions evaluated in integers, so they are exact: with the
top-left rule two triangles that share an edge leave no hole along it and never both claim a pixel (Pineda 1988).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from models.errors import ScanError
from models.rendering.compiled import compiled
from models.types import require_finite

SUBPIXEL_BITS = 16
ONE_PIXEL = 1 << SUBPIXEL_BITS
FARTHEST_PX = 16_000
"""Corners farther out than this would overflow the snapped coordinates; their triangles are left out."""


class Fragments(NamedTuple):
    """What each pixel sees: the triangle (-1 for nothing) and the weights of its three corners, affine on screen."""

    triangle: Int32[ndarray, "h w"]
    weights: Float32[ndarray, "h w 3"]


CORNER = np.dtype([("x", np.int32), ("y", np.int32), ("near", np.float32)])
"""A snapped corner: one record, so that a triangle touches three places in memory and not nine."""
TOO_FAR = -(1 << 31)


@compiled
def snap(points: ndarray, scale_x: float, scale_y: float, origin_x: float, origin_y: float, corners: ndarray) -> None:
    """Fixed-point `scale * point + origin`, and the third coordinate, of every point into the `CORNER`s."""
    for i in range(points.shape[0]):
        x, y = points[i, 0] * scale_x + origin_x, points[i, 1] * scale_y + origin_y
        near = abs(x) < FARTHEST_PX and abs(y) < FARTHEST_PX
        corners[i]["x"] = np.int32(np.floor((x if near else 0.0) * ONE_PIXEL + 0.5)) if near else np.int32(TOO_FAR)
        corners[i]["y"] = np.int32(np.floor((y if near else 0.0) * ONE_PIXEL + 0.5))
        corners[i]["near"] = points[i, 2]


@compiled
def _owns_edge(step_x: np.int64, step_y: np.int64) -> bool:
    """Whether a pixel centre exactly on this edge belongs to the triangle: only if that lies below or right of it."""
    return bool(step_x > 0 or (step_x == 0 and step_y > 0))


@compiled
def draw(corners: ndarray, triangles: ndarray, nearest: ndarray, seen: ndarray) -> None:
    """Keep the largest nearness at every pixel; the first triangle wins a tie.

    Fills `nearest` (float64 h w, -inf to start) and `seen` (int32 h w, -1 to start).
    """
    height, width = seen.shape
    for t in range(triangles.shape[0]):
        a, b, c = (
            corners[np.uint32(triangles[t, 0])],
            corners[np.uint32(triangles[t, 1])],
            corners[np.uint32(triangles[t, 2])],
        )
        ax, ay, bx, by = np.int64(a["x"]), np.int64(a["y"]), np.int64(b["x"]), np.int64(b["y"])
        cx, cy = np.int64(c["x"]), np.int64(c["y"])
        left = (min(ax, bx, cx) + ONE_PIXEL - 1) >> SUBPIXEL_BITS
        right = max(ax, bx, cx) >> SUBPIXEL_BITS
        top = (min(ay, by, cy) + ONE_PIXEL - 1) >> SUBPIXEL_BITS
        bottom = max(ay, by, cy) >> SUBPIXEL_BITS
        if left > right or top > bottom:
            continue  # most triangles of a fine mesh lie between pixel centres
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0 or min(ax, bx, cx) == TOO_FAR:
            continue
        near_a, near_b, near_c = np.float64(a["near"]), np.float64(b["near"]), np.float64(c["near"])
        if area < 0:  # both sides are drawn: the winding of a raw scan cannot be trusted
            bx, by, cx, cy, near_b, near_c, area = cx, cy, bx, by, near_c, near_b, -area
        step_ax, step_ay, step_bx, step_by, step_cx, step_cy = by - cy, cx - bx, cy - ay, ax - cx, ay - by, bx - ax
        rise_b, rise_c = near_b - near_a, near_c - near_a
        for row in range(max(top, 0), min(bottom, height - 1) + 1):
            py = row * ONE_PIXEL
            for column in range(max(left, 0), min(right, width - 1) + 1):
                px = column * ONE_PIXEL
                edge_a = (px - bx) * step_ax + (py - by) * step_ay
                edge_b = (px - cx) * step_bx + (py - cy) * step_by
                edge_c = (px - ax) * step_cx + (py - ay) * step_cy
                if (edge_a | edge_b | edge_c) < 0:
                    continue
                if (
                    (edge_a == 0 and not _owns_edge(step_ax, step_ay))
                    or (edge_b == 0 and not _owns_edge(step_bx, step_by))
                    or (edge_c == 0 and not _owns_edge(step_cx, step_cy))
                ):
                    continue
                near = near_a + (rise_b * edge_b + rise_c * edge_c) / area
                if near > nearest[row, column]:
                    nearest[row, column] = near
                    seen[row, column] = t


@compiled
def _corner_weights(corners: ndarray, triangles: ndarray, seen: ndarray) -> ndarray:
    height, width = seen.shape
    weights = np.zeros((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            t = seen[row, column]
            if t < 0:
                continue
            px, py = column * ONE_PIXEL, row * ONE_PIXEL
            a, b, c = corners[triangles[t, 0]], corners[triangles[t, 1]], corners[triangles[t, 2]]
            ax, ay, bx, by, cx, cy = a["x"] - px, a["y"] - py, b["x"] - px, b["y"] - py, c["x"] - px, c["y"] - py
            of_a, of_b, of_c = bx * cy - by * cx, cx * ay - cy * ax, ax * by - ay * bx
            scale = 1.0 / (of_a + of_b + of_c)
            weights[row, column, 0] = of_a * scale
            weights[row, column, 1] = of_b * scale
            weights[row, column, 2] = of_c * scale
    return weights


def require_mesh(points: ndarray, triangles: ndarray, where: str) -> None:
    """Raise `ScanError` where a point is not finite or a triangle names a point that is not there."""
    require_finite(points, "points", where)
    if triangles.size and (int(triangles.min()) < 0 or int(triangles.max()) >= len(points)):
        raise ScanError(f"{where}: triangles name vertices outside 0..{len(points) - 1}; the mesh is broken")


def rasterise(points: Float32[ndarray, "n 3"], triangles: Int32[ndarray, "m 3"], height: int, width: int) -> Fragments:
    """What each pixel centre of a `height` x `width` image sees.

    `points` hold (pixel x to the right, pixel y down, nearness: the larger wins); pixel centres are at integers. Both
    sides of a triangle are drawn; triangles without area are not. Raises `ScanError` on points that are not finite.
    """
    require_mesh(points, triangles, "rasterise")
    corners = np.empty(len(points), CORNER)
    snap(points, 1.0, 1.0, 0.0, 0.0, corners)
    nearest, seen = np.full((height, width), -np.inf), np.full((height, width), -1, np.int32)
    draw(corners, triangles, nearest, seen)
    return Fragments(seen, _corner_weights(corners, triangles, seen))


def interpolate(
    fragments: Fragments, triangles: Int32[ndarray, "m 3"], attributes: Float32[ndarray, "n c"]
) -> Float32[ndarray, "h w c"]:
    """Blend a per-vertex attribute at every pixel; 0 where nothing is seen."""
    blended = np.zeros((*fragments.triangle.shape, attributes.shape[1]), np.float32)
    covered = fragments.triangle >= 0
    corners = triangles[fragments.triangle[covered]]
    blended[covered] = np.einsum("pk,pkc->pc", fragments.weights[covered], attributes[corners])
    return blended


def perspective_weights(
    fragments: Fragments, triangles: Int32[ndarray, "m 3"], depth: Float32[ndarray, " n"]
) -> Float32[ndarray, "h w 3"]:
    """Corner weights on the surface itself, for `fragments._replace(weights=...)`.

    `depth` is the positive distance of each vertex along the optical axis. Affine on screen is not affine on the
    surface: w_i/d_i, normalised (Heckbert & Moreton 1991).
    """
    weights = np.zeros_like(fragments.weights)
    covered = fragments.triangle >= 0
    shares = fragments.weights[covered] / depth[triangles[fragments.triangle[covered]]]
    weights[covered] = shares / shares.sum(axis=1, keepdims=True)
    return weights
