"""A photo of a made-up person: geometry, albedo and light of the face world through a perspective camera."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from models.faceworld.conditions import draw_background, draw_gloss, draw_light, draw_shot, expose, occlude
from models.faceworld.expressions import act_freely
from models.faceworld.picture import Surroundings, render_head
from models.faceworld.studio import Studio
from models.morphable.albedo import sample_albedo
from models.morphable.population import Person
from models.rendering.camera import rotation_from_angles
from models.types import Pose


class MadePhoto(NamedTuple):
    """A picture and the truth behind it: points (pixels), coefficients in the built-in model, pose, focal length."""

    pixels: UInt8[ndarray, "h w 3"]
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
    around = Surroundings(draw_light(rng), draw_gloss(rng), draw_background(rng, size))
    picture, screen = render_head(studio, place(vertices, shot.pose), albedo, shot.camera, around)
    if rng.random() < occlusion:
        picture = occlude(picture, rng)
    points = studio.model.five_points.locate(screen[: len(studio.model.head.template), :2])
    return MadePhoto(
        expose(picture, rng),
        points,
        face_box(studio, screen),
        person.identity,
        expression,
        shot.pose,
        shot.camera.focal_px,
    )


def place(vertices: Float32[ndarray, "n 3"], pose: Pose) -> Float32[ndarray, "n 3"]:
    """Face frame to camera frame: rotate about the nose tip's origin, then move (mm)."""
    rotation = rotation_from_angles(pose.pitch_deg, pose.yaw_deg, pose.roll_deg)
    return (vertices @ rotation.T + np.array(pose.translation_mm)).astype(np.float32)


def face_box(studio: Studio, screen: Float32[ndarray, "n 3"]) -> tuple[int, int, int, int]:
    """x, y, width, height of the face region, pixels; may leave the picture, as VGGFace2's boxes do."""
    face = screen[studio.model.face, :2]
    low, high = np.floor(face.min(axis=0)).astype(int), np.ceil(face.max(axis=0)).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
