"""A photo of a made-up person: geometry, albedo and light of the face world through a perspective camera."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from models.faceworld.conditions import draw_background, draw_light, draw_shot, expose, occlude
from models.faceworld.expressions import act_freely
from models.faceworld.studio import Studio
from models.morphable.albedo import sample_albedo
from models.morphable.population import Person
from models.rendering.camera import project, rotation_from_angles
from models.rendering.lighting import shade
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import interpolate, perspective_weights, rasterise
from models.types import Pose


class MadePhoto(NamedTuple):
    """A picture and the truth behind it: points (pixels), coefficients in the built-in model, pose, focal length."""

    pixels: UInt8[ndarray, "s s 3"]
    five_points: Float32[ndarray, "5 2"]
    box: tuple[int, int, int, int]
    identity: Float32[ndarray, " k"]
    expression: Float32[ndarray, " e"]
    pose: Pose
    focal_px: float


def person_albedo(studio: Studio, person: Person) -> Float32[ndarray, "n 3"]:
    """The person's own colours: the same in every photo."""
    return sample_albedo(studio.masks, studio.template, person.attributes, np.random.default_rng([person.seed, 7]))


def take_photo(
    studio: Studio,
    person: Person,
    albedo: Float32[ndarray, "n 3"],
    rng: np.random.Generator,
    size: int,
    yaw_spread_deg: float = 20.0,
    occlusion: float = 0.15,
) -> MadePhoto:
    """One photo of `size` x `size` pixels under random conditions."""
    expression = act_freely(studio.model.prototype_expressions, person, rng)
    vertices = studio.vertices(person, expression)
    shot = draw_shot(rng, size, yaw_spread_deg)
    posed = place(vertices, shot.pose)
    screen = project(posed, shot.camera)
    picture = _render(studio, posed, screen, albedo, rng, size)
    if rng.random() < occlusion:
        picture = occlude(picture, rng)
    points = studio.model.five_points.locate(screen[: len(studio.model.head.template), :2])
    return MadePhoto(
        expose(picture, rng),
        points,
        _face_box(studio, screen),
        person.identity,
        expression,
        shot.pose,
        shot.camera.focal_px,
    )


def place(vertices: Float32[ndarray, "n 3"], pose: Pose) -> Float32[ndarray, "n 3"]:
    """Face frame to camera frame: rotate about the nose tip's origin, then move (mm)."""
    rotation = rotation_from_angles(pose.pitch_deg, pose.yaw_deg, pose.roll_deg)
    return (vertices @ rotation.T + np.array(pose.translation_mm)).astype(np.float32)


def _render(
    studio: Studio,
    posed: Float32[ndarray, "n 3"],
    screen: Float32[ndarray, "n 3"],
    albedo: Float32[ndarray, "n 3"],
    rng: np.random.Generator,
    size: int,
) -> Float32[ndarray, "s s 3"]:
    """Linear RGB: diffuse shading by spherical harmonics, a little skin gloss, over a random background."""
    fragments = rasterise(screen, studio.triangles, size, size)
    weights = perspective_weights(fragments, studio.triangles, 1 / screen[:, 2])
    attributes = np.concatenate([albedo, vertex_normals(posed, studio.triangles)], axis=1)
    seen = interpolate(fragments._replace(weights=weights), studio.triangles, attributes)
    colour, normals = seen[..., :3], seen[..., 3:]
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), np.float32(1e-6))
    lit = shade(colour, normals, draw_light(rng)) + _gloss(normals, rng)
    face = (fragments.triangle >= 0).astype(np.float32)
    soft = cv2.GaussianBlur(face, (3, 3), 0.5)[..., None]
    return np.where(face[..., None] > 0, np.clip(lit, 0, None) * soft, 0) + draw_background(rng, size) * (1 - soft)


def _gloss(normals: Float32[ndarray, "s s 3"], rng: np.random.Generator) -> Float32[ndarray, "s s 1"]:
    """A highlight between one lamp and the viewer (Blinn 1977)."""
    half = np.array([rng.normal(0, 0.35), rng.normal(0.25, 0.25), 1.0])
    half = (half / np.linalg.norm(half)).astype(np.float32)
    shine = np.clip(normals @ half, 0, 1) ** np.float32(rng.uniform(12, 40))
    return np.float32(rng.uniform(0, 0.12)) * shine[..., None]


def _face_box(studio: Studio, screen: Float32[ndarray, "n 3"]) -> tuple[int, int, int, int]:
    """x, y, width, height of the face region, pixels; may leave the picture, as VGGFace2's boxes do."""
    face = screen[studio.model.face, :2]
    low, high = np.floor(face.min(axis=0)).astype(int), np.ceil(face.max(axis=0)).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
