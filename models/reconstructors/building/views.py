"""Pictures of made-up people in known poses, with what a landmark network says of them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from models.errors import PhotoError
from models.morphable.albedo import sample_albedo
from models.morphable.builtin import HeadModel, load_face, load_head
from models.morphable.model import MorphableModel
from models.morphable.population import Person, draw_person
from models.morphable.subdivision import Subdivision, loop_subdivision
from models.photos.analysis import FaceNets, analyse
from models.rendering.camera import PerspectiveCamera, project, rotation_from_angles
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import interpolate, rasterise
from models.types import Photo

SIDE = 384
FACE_HEIGHT_MM, FILLED = 190.0, 0.6
FULL_IDENTITY, FULL_EXPRESSION = 160, 72
NEUTRAL_SHARE = 0.4


class View(NamedTuple):
    """One picture: the landmarks found, where every vertex of the face model is seen (pixels), how squarely (cosine
    between its normal and the line of sight) and the scale in the face's middle.
    """

    landmarks: Float32[ndarray, "468 3"]
    projected: Float32[ndarray, "n 2"]
    facing: Float32[ndarray, " n"]
    px_per_mm: float


class Scene(NamedTuple):
    """The built-in head and face, both subdivided once, with all their components."""

    whole: HeadModel
    finer: Subdivision
    masks: dict[str, Float32[ndarray, " h"]]
    face: MorphableModel


def open_scene() -> Scene:
    """The head to draw, and the face whose vertices are wanted."""
    whole = load_head()
    finer = loop_subdivision(whole.head.triangles, len(whole.head.template))
    masks = {name: finer.weights @ values for name, values in whole.head.masks.items()}
    return Scene(whole, finer, masks, load_face(FULL_IDENTITY, FULL_EXPRESSION))


def draw_views(scene: Scene, nets: FaceNets, count: int, seed: int) -> Iterator[View]:
    """`count` views of as many people, less those in which no face is found; always the same for the same seed."""
    for index in range(count):
        view = _view(scene, nets, seed, index)
        if view is not None:
            yield view


def _view(scene: Scene, nets: FaceNets, seed: int, index: int) -> View | None:
    rng = np.random.default_rng([seed, index])
    person = draw_person(scene.whole.bank_identity, scene.whole.bank_attributes, "reconstruction", seed, index)
    expression = _expression(scene.whole.prototype_expressions, rng)
    rotation = rotation_from_angles(float(rng.normal(0, 8)), float(rng.normal(0, 16)), float(rng.normal(0, 6)))
    distance = float(rng.uniform(800, 2000))
    place = np.array([0.0, -8.0, -distance])
    camera = PerspectiveCamera(SIDE * FILLED / FACE_HEIGHT_MM * distance, ((SIDE - 1) / 2, (SIDE - 1) / 2))
    head = (scene.finer.weights @ scene.whole.head.shape(person.identity, expression)) @ rotation.T + place
    picture = _render(scene, person, head.astype(np.float32), camera, rng)
    try:
        found = analyse(Photo(picture, f"view {index}"), *nets)
    except PhotoError:
        return None
    face = (scene.face.shape(person.identity, expression) @ rotation.T + place).astype(np.float32)
    sight = -face / np.linalg.norm(face, axis=1, keepdims=True)
    facing = np.einsum("nk,nk->n", vertex_normals(face, scene.face.triangles), sight)
    return View(found.landmarks, project(face, camera)[:, :2], facing, camera.focal_px / distance)


def _expression(prototypes: Float32[ndarray, "6 4 e"], rng: np.random.Generator) -> Float32[ndarray, " e"]:
    """Neutral, or one of the six prototypes at any of its strengths."""
    chosen = prototypes[rng.integers(len(prototypes)), rng.integers(4)]
    return chosen if rng.random() > NEUTRAL_SHARE else np.zeros_like(chosen)


def _render(
    scene: Scene, person: Person, head: Float32[ndarray, "n 3"], camera: PerspectiveCamera, rng: np.random.Generator
) -> UInt8[ndarray, "s s 3"]:
    """Diffuse shading by one lamp and ambient light, before grey."""
    template = scene.finer.weights @ scene.whole.head.template
    albedo = sample_albedo(scene.masks, template, person.attributes, np.random.default_rng([person.seed, 7]))
    triangles = scene.finer.triangles
    lamp = np.array([rng.normal(0, 0.5), rng.normal(0.4, 0.3), 1.0])
    bright = 0.45 + 0.7 * np.clip(vertex_normals(head, triangles) @ (lamp / np.linalg.norm(lamp)), 0, None)
    fragments = rasterise(project(head, camera), triangles, SIDE, SIDE)
    lit = interpolate(fragments, triangles, (albedo * bright[:, None]).astype(np.float32))
    linear = np.where(fragments.triangle[..., None] >= 0, lit, np.float32(rng.uniform(0.05, 0.6)))
    return (np.clip(linear, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
