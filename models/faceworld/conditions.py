"""How a photo was taken: pose, camera, light, background, occlusion and the sensor, all drawn at random."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numpy import ndarray

from models.faceworld.picture import Gloss
from models.rendering.camera import PerspectiveCamera
from models.rendering.lighting import sh_basis
from models.types import Pose

# what a diffuse surface makes of each band of incoming light (Ramamoorthi & Hanrahan 2001), over pi
COSINE_LOBE = np.array([1.0] + [2 / 3] * 3 + [1 / 4] * 5, dtype=np.float32)
FACE_HEIGHT_MM = 190.0
LEAST_FARTHEST_DEG, PROFILE_DEG = 60.0, 95.0


class Shot(NamedTuple):
    """Pose and camera of one photo."""

    pose: Pose
    camera: PerspectiveCamera


def draw_shot(rng: np.random.Generator, size: int, yaw_spread_deg: float) -> Shot:
    """A photo of `size` square pixels, the face about two thirds of its height, taken from 0.8 to 2.2 m.

    Heads turn up to three times the spread, or 60 degrees if that is more, and never much beyond a full profile.
    """
    scale = size * rng.uniform(0.60, 0.74) / FACE_HEIGHT_MM
    distance = float(np.exp(rng.uniform(np.log(800), np.log(2200))))
    farthest = min(max(LEAST_FARTHEST_DEG, 3 * yaw_spread_deg), PROFILE_DEG)
    yaw = float(np.clip(rng.normal(0, yaw_spread_deg), -farthest, farthest))
    pitch, roll = float(rng.normal(0, 7)), float(rng.normal(0, 6))
    shift = rng.normal(0, 3, size=2)
    camera = PerspectiveCamera(scale * distance, ((size - 1) / 2, (size - 1) / 2))
    # the nose tip stands in front of the head's middle: move it back and down to where a photographer centres the face
    return Shot(Pose(pitch, yaw, roll, (float(shift[0]), float(shift[1]) - 4.0, -distance)), camera)


def draw_light(rng: np.random.Generator) -> Float32[ndarray, "9 3"]:
    """Ambient light and one to three coloured lamps in front of the face, as spherical harmonics of the irradiance."""
    tint = rng.normal(1.0, 0.05, size=3)
    gamma = ambient(rng.uniform(0.25, 0.6) * tint)
    for _ in range(rng.integers(1, 4)):
        direction = np.array([rng.normal(0, 0.7), rng.normal(0.35, 0.45), 1.0])
        direction /= np.linalg.norm(direction)
        strength = rng.uniform(0.2, 0.8) * rng.normal(1.0, 0.08, size=3)
        gamma += lamp(direction, strength)
    return exposed(gamma, rng.uniform(0.75, 1.15))


def ambient(colour: Float64[ndarray, " 3"]) -> Float64[ndarray, "9 3"]:
    """The same light from everywhere."""
    gamma = np.zeros((9, 3))
    gamma[0] = colour / 0.282095
    return gamma


def lamp(direction: Float64[ndarray, " 3"], colour: Float64[ndarray, " 3"]) -> Float64[ndarray, "9 3"]:
    """A lamp far away in that (unit) direction: spherical harmonics of the irradiance, second order."""
    return np.outer(COSINE_LOBE * sh_basis(direction[None])[0] * np.pi, colour)


def exposed(gamma: Float64[ndarray, "9 3"], level: float) -> Float32[ndarray, "9 3"]:
    """The light scaled so that white facing the camera has `level`, the mean of its colours."""
    scale = level / (gamma.T @ sh_basis(np.array([[0.0, 0.0, 1.0]]))[0]).mean()
    return (gamma * scale).astype(np.float32)


def draw_gloss(rng: np.random.Generator) -> Gloss:
    """A faint highlight from above, sometimes from the side."""
    half = np.array([rng.normal(0, 0.35), rng.normal(0.25, 0.25), 1.0])
    half = (half / np.linalg.norm(half)).astype(np.float32)
    return Gloss(half, rng.uniform(12, 40), rng.uniform(0, 0.12))


def draw_background(rng: np.random.Generator, size: int) -> Float32[ndarray, "s s 3"]:
    """A soft random scene in linear RGB: blurred blobs over a gradient."""
    cells = int(rng.integers(2, 7))
    blobs = rng.uniform(0, 1, size=(cells, cells, 3)).astype(np.float32)
    scene = cv2.resize(blobs, (size, size), interpolation=cv2.INTER_CUBIC)
    ramp = np.linspace(rng.uniform(0.2, 1), rng.uniform(0.2, 1), size, dtype=np.float32)[:, None, None]
    return np.clip(scene * ramp * np.float32(rng.uniform(0.4, 1.2)), 0, 1)


def occlude(picture: Float32[ndarray, "s s 3"], rng: np.random.Generator) -> Float32[ndarray, "s s 3"]:
    """One plain ellipse over part of the picture: a hand, a scarf, hair, a microphone."""
    size = len(picture)
    centre = tuple(int(v) for v in rng.uniform(0.15, 0.85, size=2) * size)
    axes = tuple(int(v) for v in rng.uniform(0.05, 0.22, size=2) * size)
    colour = tuple(float(v) for v in rng.uniform(0.02, 0.7) * rng.normal(1, 0.15, size=3))
    return cv2.ellipse(picture.copy(), centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)


class Sensor(NamedTuple):
    """How a camera turns light into bytes: exposure, blur (standard deviation, pixels), noise (of white)."""

    gain: float
    blur_px: float
    noise: float


def expose(linear: Float32[ndarray, "h w 3"], rng: np.random.Generator) -> UInt8[ndarray, "h w 3"]:
    """Linear light to 8-bit sRGB as a cheap camera in anybody's hands gives it."""
    return develop(
        linear, Sensor(np.exp(rng.normal(-0.1, 0.25)), rng.uniform(0.25, 0.8), rng.uniform(0.001, 0.008)), rng
    )


def develop(linear: Float32[ndarray, "h w 3"], sensor: Sensor, rng: np.random.Generator) -> UInt8[ndarray, "h w 3"]:
    """Linear light to 8-bit sRGB: exposure, blur, noise, gamma."""
    light = np.clip(linear * np.float32(sensor.gain), 0, None)
    light = cv2.GaussianBlur(light, (0, 0), sensor.blur_px)
    noise = rng.normal(0, sensor.noise, size=light.shape[:2]).astype(np.float32)
    encoded = np.clip(light + noise[..., None], 0, 1) ** np.float32(1 / 2.2)
    return (encoded * 255 + 0.5).astype(np.uint8)
