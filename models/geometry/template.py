"""The surface that scans are brought upright against."""

from functools import cache
from typing import NamedTuple

from jaxtyping import Float32
from numpy import ndarray

from models.morphable.builtin import load_face
from models.rendering.mesh_normals import vertex_normals
from models.types import Scan


class Template(NamedTuple):
    """Points and outward unit normals of an upright face that looks along +z, the tip of the nose at the origin, mm."""

    points: Float32[ndarray, "k 3"]
    normals: Float32[ndarray, "k 3"]


def template_from(face: Scan, most_points: int = 2500) -> Template:
    """Every so-manieth vertex of an upright face whose nose tip is at the origin, with its normal."""
    normals = vertex_normals(face.vertices, face.triangles)
    chosen = slice(None, None, max(1, len(normals) // most_points))
    return Template(face.vertices[chosen], normals[chosen])


@cache
def builtin_template() -> Template:
    """The mean of the built-in face model. Raises `ArtefactError` when the model cannot be read."""
    face = load_face(identity=1, expression=1, subdivisions=0)
    return template_from(Scan(face.template, face.triangles))
