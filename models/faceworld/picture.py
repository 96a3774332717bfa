"""One picture of a posed head: light, gloss and background through a perspective camera."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.faceworld.studio import Studio
from models.rendering.camera import PerspectiveCamera, project
from models.rendering.lighting import shade
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import interpolate, perspective_weights, rasterise


class Gloss(NamedTuple):
    """A highlight midway between a lamp and the viewer (Blinn 1977): unit direction, sharpness, strength (0-1)."""

    direction: Float32[ndarray, " 3"]
    sharpness: float
    strength: float


class Surroundings(NamedTuple):
    """What falls on a face and stands behind it: spherical harmonics of the irradiance, a highlight, linear RGB."""

    light: Float32[ndarray, "9 3"]
    gloss: Gloss
    background: Float32[ndarray, "h w 3"]


class Taken(NamedTuple):
    """Linear RGB, and where each vertex of the fine mesh is on it (pixel x, pixel y, nearness)."""

    light: Float32[ndarray, "h w 3"]
    screen: Float32[ndarray, "n 3"]


def render_head(
    studio: Studio,
    posed: Float32[ndarray, "n 3"],
    albedo: Float32[ndarray, "n 3"],
    camera: PerspectiveCamera,
    around: Surroundings,
) -> Taken:
    """Diffuse shading by spherical harmonics and a little skin gloss over the background, which gives the size.

    `posed` is the fine mesh in the camera frame, mm.
    """
    height, width = around.background.shape[:2]
    screen = project(posed, camera)
    fragments = rasterise(screen, studio.triangles, height, width)
    weights = perspective_weights(fragments, studio.triangles, 1 / screen[:, 2])
    attributes = np.concatenate([albedo, vertex_normals(posed, studio.triangles)], axis=1)
    seen = interpolate(fragments._replace(weights=weights), studio.triangles, attributes)
    colour, normals = seen[..., :3], seen[..., 3:]
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), np.float32(1e-6))
    lit = shade(colour, normals, around.light) + _highlight(normals, around.gloss)
    face = (fragments.triangle >= 0).astype(np.float32)
    soft = cv2.GaussianBlur(face, (3, 3), 0.5)[..., None]
    shown = np.where(face[..., None] > 0, np.clip(lit, 0, None) * soft, 0) + around.background * (1 - soft)
    return Taken(shown, screen)


def _highlight(normals: Float32[ndarray, "h w 3"], gloss: Gloss) -> Float32[ndarray, "h w 1"]:
    shine = np.clip(normals @ gloss.direction, 0, 1) ** np.float32(gloss.sharpness)
    return np.float32(gloss.strength) * shine[..., None]
