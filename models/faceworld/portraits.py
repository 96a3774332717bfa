"""Portraits: everybody sits before the same camera, lamps and wall, as in laboratories that collect photos."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from models.faceworld.conditions import FACE_HEIGHT_MM, Sensor, ambient, develop, exposed, lamp
from models.faceworld.photos import MadePhoto, face_box, person_albedo, place
from models.faceworld.picture import Gloss, Surroundings, render_head
from models.faceworld.studio import Studio
from models.morphable.population import Person
from models.rendering.camera import PerspectiveCamera, rotation_from_angles
from models.types import Pose

HEAD_MIDDLE_MM = np.array([0.0, 0.0, -85.0])
"""Behind the nose tip: what a head on a swivel chair turns about, and what stays in the middle of the picture."""


class Framing(NamedTuple):
    """Pixels of a picture, the share of its height that a face takes, and how far down the nose is (share)."""

    width: int
    height: int
    face: float
    nose: float


class Session(NamedTuple):
    """A studio set up once: direction and share of the main lamp, tint of all light, wall (linear RGB), camera."""

    lamp_direction: Float64[ndarray, " 3"]
    lamp_share: float
    tint: Float64[ndarray, " 3"]
    level: float
    wall: Float64[ndarray, " 3"]
    distance_mm: float
    sensor: Sensor


class Sitter(NamedTuple):
    """A person, with what is the same in all portraits: colours of the skin and of the clothes (linear RGB)."""

    person: Person
    albedo: Float32[ndarray, "n 3"]
    clothes: Float64[ndarray, " 3"]


def set_up(rng: np.random.Generator, wall: float) -> Session:
    """A session before a wall of about that brightness: soft light from in front, a little to one side and above."""
    direction = np.array([rng.uniform(-0.5, 0.5), rng.uniform(0.2, 0.5), 1.0])
    return Session(
        direction / np.linalg.norm(direction),
        rng.uniform(0.35, 0.65),
        rng.normal(1.0, 0.03, size=3),
        rng.uniform(0.85, 1.0),
        wall * rng.uniform(0.85, 1.15) * rng.normal(1.0, 0.03, size=3),
        rng.uniform(1400.0, 2000.0),
        Sensor(rng.uniform(0.9, 1.05), rng.uniform(0.3, 0.6), rng.uniform(0.002, 0.006)),
    )


def seat(studio: Studio, person: Person, dressed_alike: bool) -> Sitter:
    """The person in a grey shirt where all are `dressed_alike`, otherwise in clothes of one's own."""
    rng = np.random.default_rng([person.seed, 17])
    clothes = np.full(3, 0.25) if dressed_alike else rng.uniform(0.02, 0.6) * rng.normal(1.0, 0.25, size=3)
    return Sitter(person, person_albedo(studio, person), np.clip(clothes, 0.0, 1.0))


def take_portrait(
    studio: Studio,
    sitter: Sitter,
    expression: Float32[ndarray, " e"],
    yaw_deg: float,
    session: Session,
    framing: Framing,
    rng: np.random.Generator,
) -> MadePhoto:
    """The sitter turned by `yaw_deg` (positive: towards the right of the picture) and a degree or two beside it.

    The five points are where they lie behind the picture, seen or not: in profile half of them are hidden.
    """
    vertices = studio.vertices(sitter.person, expression)
    pose, camera = _shot(yaw_deg, session, framing, rng)
    around = _surroundings(session, _backdrop(session, framing, sitter.clothes), rng)
    picture, screen = render_head(studio, place(vertices, pose), sitter.albedo, camera, around)
    points = studio.model.five_points.locate(screen[: len(studio.model.head.template), :2])
    sensor = session.sensor._replace(gain=session.sensor.gain * rng.normal(1.0, 0.03))
    pixels = develop(picture, sensor, rng)
    box = face_box(studio, screen)
    return MadePhoto(pixels, points, box, sitter.person.identity, expression, pose, camera.focal_px)


def camera_centre(framing: Framing) -> tuple[float, float]:
    """The principal point of every portrait, pixels."""
    return (framing.width - 1) / 2, (framing.height - 1) / 2


def _shot(
    yaw_deg: float, session: Session, framing: Framing, rng: np.random.Generator
) -> tuple[Pose, PerspectiveCamera]:
    scale = framing.height * framing.face / FACE_HEIGHT_MM
    pitch, yaw, roll = rng.normal(0.0, 2.0), yaw_deg + rng.normal(0.0, 1.5), rng.normal(0.0, 1.2)
    sway = rng.normal(0.0, 4.0, size=2)
    below_centre = (framing.nose - 0.5) * framing.height / scale
    seat_at = np.array([sway[0], sway[1] - below_centre, -session.distance_mm])
    turned = rotation_from_angles(pitch, yaw, roll) @ HEAD_MIDDLE_MM
    x, y, z = (float(value) for value in seat_at + HEAD_MIDDLE_MM - turned)
    camera = PerspectiveCamera(scale * session.distance_mm, camera_centre(framing))
    return Pose(float(pitch), float(yaw), float(roll), (x, y, z)), camera


def _surroundings(session: Session, backdrop: Float32[ndarray, "h w 3"], rng: np.random.Generator) -> Surroundings:
    """The session's light; the sitter is never in quite the same place under the lamps."""
    direction = session.lamp_direction + rng.normal(0.0, 0.04, size=3)
    direction /= np.linalg.norm(direction)
    share = session.lamp_share
    light = ambient((1 - share) * session.tint) + lamp(direction, share * session.tint)
    half = direction + np.array([0.0, 0.0, 1.0])
    gloss = Gloss((half / np.linalg.norm(half)).astype(np.float32), 22.0, 0.05 * session.level)
    return Surroundings(exposed(light, session.level * rng.normal(1.0, 0.03)), gloss, backdrop)


def _backdrop(session: Session, framing: Framing, clothes: Float64[ndarray, " 3"]) -> Float32[ndarray, "h w 3"]:
    """The wall, darker towards its edges, and shoulders before it."""
    width, height = framing.width, framing.height
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    falloff = 1 - 0.12 * (rows**2 + columns**2)
    picture = (falloff[..., None] * session.wall * session.level).astype(np.float32)
    face_px = framing.height * framing.face
    centre = int(width / 2), int(framing.nose * height + 1.10 * face_px)
    axes = int(1.05 * face_px), int(0.6 * face_px)
    colour = tuple(float(value) for value in clothes * session.level)
    return np.clip(cv2.ellipse(picture, centre, axes, 0.0, 180.0, 360.0, colour, -1, cv2.LINE_8), 0.0, 1.0)
