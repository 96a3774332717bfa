"""How far decoded style codes are from the true surfaces, and whether generated expressions are those asked for."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int32
from numpy import ndarray

from models.metrics.mesh_error import normal_error_deg
from models.morphable.model import MorphableModel
from models.morphable.style_space import StylePart
from models.networks.texface.decoder import StyleDecoder
from models.reconstructors.texface import TexFace
from models.reconstructors.texface_generation import generate_expressions
from models.rendering.mesh_normals import vertex_normals
from models.types import Coefficients

TAKES = 2
"""Faces generated for each request, to see how they differ."""


class SurfaceError(NamedTuple):
    """Means over faces and vertices: distance (mm, without any alignment) and angle between normals (degrees).

    `linear_` is what the same codes give without the decoder's detail.
    """

    mm: float
    deg: float
    linear_mm: float
    linear_deg: float


class GenerationQuality(NamedTuple):
    """Of expressions generated for known people at full intensity.

    `as_asked` is the share that is nearest (mm) to the expression asked for, among all and neutral; `spread_mm` how far
    two takes of one person and one request are from each other.
    """

    as_asked: float
    spread_mm: float
    faces: int


def surface_error(
    decoder: StyleDecoder,
    triangles: Int32[ndarray, "m 3"],
    codes: Float32[ndarray, "n d"],
    truth: Iterable[Float32[ndarray, "_ v 3"]],
    device: torch.device,
) -> SurfaceError:
    """Errors of the surfaces that `decoder` makes of `codes`; `truth` (mm, face frame) comes a block at a time."""
    decoder = decoder.to(device).eval()
    sums, done = np.zeros(4), 0
    for true in truth:
        given = torch.from_numpy(codes[done : done + len(true)]).to(device)
        with torch.inference_mode():
            whole, detail = decoder(given), decoder.detail(given)
            made = whole.float().cpu().numpy(), (whole - detail).float().cpu().numpy()
        sums += [value for each in made for value in (_distances(each, true), _angles(each, true, triangles))]
        done += len(true)
    return SurfaceError(*(float(value) for value in sums / done))


def mean_distance(surface: Float32[ndarray, "v 3"], truth: Iterable[Float32[ndarray, "_ v 3"]]) -> float:
    """Mean distance (mm) of one surface, such as the mean face, from each of many."""
    total, count = 0.0, 0
    for true in truth:
        total += _distances(np.broadcast_to(surface, true.shape), true)
        count += len(true)
    return total / count


def basis_floor(face: MorphableModel, truth: Iterable[Float32[ndarray, "_ v 3"]]) -> float:
    """Mean distance (mm) of the truth from the nearest face (least squares) that the linear model can make."""
    basis = np.concatenate([face.identity_basis, face.expression_basis])
    columns, _ = np.linalg.qr(basis.reshape(len(basis), -1).T.astype(np.float64))
    total, count = 0.0, 0
    for true in truth:
        moves = (true - face.template).reshape(len(true), -1).astype(np.float64)
        missed = moves - (moves @ columns) @ columns.T
        total += float(np.linalg.norm(missed.reshape(true.shape), axis=2).mean(axis=1).sum())
        count += len(true)
    return total / count


def generation_quality(
    model: TexFace,
    codes: Float32[ndarray, "n d"],
    prototypes: Float32[ndarray, "6 e"],
    rng: np.random.Generator,
    device: torch.device,
) -> GenerationQuality:
    """Each expression and neutral, generated twice for each person of `codes`.

    `prototypes` are the expression parts of the codes that show each expression fully.
    """
    kinds = len(prototypes) + 1
    own = model.decoder.shape.identity
    people = [Coefficients(model.space, code[:own], code[own:]) for code in codes]
    fully = np.eye(kinds, dtype=np.float32)[:, 1:]
    asked = np.tile(np.repeat(fully, TAKES, axis=0), (len(codes), 1, 1))
    made = generate_expressions(model, people, asked, rng, device)
    shown = np.stack([[each.expression for each in row] for row in made]).reshape(len(codes), kinds, TAKES, -1)
    known = np.concatenate([np.zeros_like(prototypes[:1]), prototypes])
    part = model.style.expression
    gaps = np.stack([_moved_mm(part, shown - each) for each in known])
    nearest = gaps.argmin(axis=0)
    right = float((nearest == np.arange(kinds)[:, None]).mean())
    spread = float(_moved_mm(part, shown[:, :, 0] - shown[:, :, 1]).mean())
    return GenerationQuality(right, spread, nearest.size)


def _moved_mm(part: StylePart, difference: Float32[ndarray, "*b e"]) -> ndarray:
    """Mean distance over the vertices between two faces whose codes differ so."""
    moves = np.tensordot(difference.reshape(-1, difference.shape[-1]), part.directions, axes=1)
    return np.linalg.norm(moves, axis=2).mean(axis=1).reshape(difference.shape[:-1])


def _distances(made: ndarray, true: Float32[ndarray, "b v 3"]) -> float:
    """Sum over faces of the mean distance of their vertices."""
    return float(np.linalg.norm(made - true, axis=2).mean(axis=1, dtype=np.float64).sum())


def _angles(made: ndarray, true: Float32[ndarray, "b v 3"], triangles: Int32[ndarray, "m 3"]) -> float:
    """Sum over faces of the mean angle between normals at their vertices, degrees."""
    total = 0.0
    for one, other in zip(made, true, strict=True):
        first, second = (vertex_normals(each, triangles)[None] for each in (one, other))
        total += float(normal_error_deg(first, second, np.ones(first.shape[:2], dtype=bool)).mean())
    return total
