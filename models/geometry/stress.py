"""A scan made harder on purpose: turned away from the sensor, or partly behind something."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from models.errors import ConfigurationError
from models.rendering.camera import rotation_from_angles
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import rasterise
from models.types import Scan

GRAZING = 0.2
"""A sensor gets nothing back from a surface that turns more than acos of this away from it."""
RAY_MM = 0.5
STANDS_OFF_MM = 15.0
TEAR_MM = 9.0


class Stress(NamedTuple):
    """How hard: degrees of yaw, or the share of a scan's points that an object hides."""

    yaw_deg: float = 0.0
    hidden: float = 0.0


def stressed(scan: Scan, stress: Stress, rng: np.random.Generator) -> Scan:
    """The scan as a sensor in front of it would deliver it under that stress.

    `rng` decides to which side it turns and where the object is. Raises `ConfigurationError` beyond 90 degrees or
    unless a share below 1 is hidden.
    """
    if not (0 <= stress.yaw_deg <= 90 and 0 <= stress.hidden < 1):
        raise ConfigurationError(f"{stress}: turn by 0 to 90 degrees, hide a share from 0 to below 1")
    turned = turn(scan, stress.yaw_deg * float(rng.choice([-1.0, 1.0]))) if stress.yaw_deg else scan
    return hide(turned, stress.hidden, rng) if stress.hidden else turned


def turn(scan: Scan, yaw_deg: float) -> Scan:
    """The scan turned about the vertical through its middle, less what a sensor in front no longer sees."""
    middle = scan.vertices.mean(axis=0)
    rotation = rotation_from_angles(0.0, yaw_deg, 0.0).astype(np.float32)
    vertices = ((scan.vertices - middle) @ rotation.T + middle).astype(np.float32)
    return _kept(Scan(vertices, scan.triangles), seen_triangles(vertices, scan.triangles))


def seen_triangles(vertices: Float32[ndarray, "n 3"], triangles: ndarray) -> Bool[ndarray, " m"]:
    """Triangles that some ray parallel to z meets first, and that do not turn away from it."""
    low = vertices[:, :2].min(axis=0)
    width, height = (int(extent / RAY_MM) + 2 for extent in np.ptp(vertices[:, :2], axis=0))
    screen = np.column_stack([(vertices[:, :2] - low) / RAY_MM, vertices[:, 2]]).astype(np.float32)
    first = np.unique(rasterise(screen, triangles, height, width).triangle)
    seen = np.zeros(len(triangles), dtype=bool)
    seen[first[first >= 0]] = True
    facing = np.abs(vertex_normals(vertices, triangles)[:, 2])
    return seen & (facing[triangles].min(axis=1) > GRAZING)


def hide(scan: Scan, share: float, rng: np.random.Generator) -> Scan:
    """The scan with a flat object 15 mm before it that hides `share` of its points: round, about a point of the face.

    The object is in the scan too, as it is when a hand comes before a sensor; it hangs together with nothing.
    """
    centre = scan.vertices[int(rng.integers(len(scan.vertices)))]
    away = np.linalg.norm(scan.vertices[:, :2] - centre[:2], axis=1)
    behind = away <= np.quantile(away, share)
    vertices = scan.vertices.copy()
    vertices[behind, 2] = scan.vertices[behind, 2].max() + STANDS_OFF_MM
    torn = np.ptp(vertices[scan.triangles, 2], axis=1) > np.maximum(
        TEAR_MM, np.ptp(scan.vertices[scan.triangles, 2], axis=1)
    )
    return _kept(Scan(vertices, scan.triangles), ~torn)


def _kept(scan: Scan, triangles: Bool[ndarray, " m"]) -> Scan:
    """Some triangles, and the vertices that they use."""
    chosen = scan.triangles[triangles]
    used, corners = np.unique(chosen, return_inverse=True)
    return Scan(scan.vertices[used], corners.reshape(-1, 3).astype(np.int32))
