"""Faces of the face world as the truth for a decoder: every component, and the skin's relief."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.relief import skin_relief
from models.faceworld.studio import Studio
from models.morphable.builtin import EXPRESSIONS, load_face
from models.morphable.mirror import mirror_partners, mirrored
from models.morphable.model import MorphableModel
from models.morphable.population import Split
from models.rendering.mesh_normals import vertex_normals

FULL = 160, 72
BLEND_SHARE = 0.15


class DrawnFaces(NamedTuple):
    """Faces by their causes, a row each: true coefficients in the untruncated built-in model, whose seed fixes the
    relief, the bank's attributes (gender, age, weight, ancestry), and how much of each of the six expressions (0-1).
    """

    identity: Float32[ndarray, "n 160"]
    expression: Float32[ndarray, "n 72"]
    relief_seeds: Int64[ndarray, " n"]
    attributes: Float32[ndarray, "n 6"]
    intensities: Float32[ndarray, "n 6"]

    def __len__(self) -> int:
        return len(self.identity)


class TrueSurfaces(NamedTuple):
    """The same people neutral and as they look: vertices in mm, face frame."""

    neutral: Float32[ndarray, "b n 3"]
    expressive: Float32[ndarray, "b n 3"]


def draw_faces(studio: Studio, split: Split, seed: int, first: int, people: int, each: int) -> DrawnFaces:
    """`each` faces of the people `first` to `first + people` of a split, the same whenever they are asked for.

    Neutral and the six expressions are equally frequent, at four intensities; some faces blend two of them.
    """
    made: list[tuple[ndarray, ...]] = []  # in the order of `DrawnFaces`
    for index in range(first, first + people):
        person = studio.person(split, seed, index)
        seed_of_relief = np.array(person.seed, dtype=np.int64)
        for number in range(each):
            rng = np.random.default_rng([seed, person.seed, number, 0x57])
            shares = _draw_shares(rng)
            expression = sum(
                (
                    np.float32(share) * act(studio.model.prototype_expressions, person, code, level, rng)
                    for code, level, share in shares
                ),
                start=np.zeros(FULL[1], dtype=np.float32),
            )
            made.append((person.identity, expression, seed_of_relief, person.attributes, _intensities(shares)))
    return DrawnFaces(*(np.stack(column) for column in zip(*made, strict=True)))


def _draw_shares(rng: np.random.Generator) -> list[tuple[str, int, float]]:
    """(expression, intensity 1-4, share) of one face or of the two that it blends."""
    kind = int(rng.integers(len(EXPRESSIONS) + 1))
    if kind == len(EXPRESSIONS):
        return [(NEUTRAL, 0, 1.0)]
    first = EXPRESSIONS[kind], int(rng.integers(1, 5))
    if rng.random() >= BLEND_SHARE:
        return [(*first, 1.0)]
    share = float(rng.uniform(0.3, 0.7))
    other = EXPRESSIONS[int(rng.integers(len(EXPRESSIONS)))], int(rng.integers(1, 5))
    return [(*first, share), (*other, 1 - share)]


def _intensities(shares: list[tuple[str, int, float]]) -> Float32[ndarray, " 6"]:
    vector = np.zeros(len(EXPRESSIONS), dtype=np.float32)
    for code, level, share in shares:
        if code != NEUTRAL:
            vector[EXPRESSIONS.index(code)] += share * level / 4
    return vector


class TrueFaces:
    """Causes to surfaces on the mesh of the built-in face; relief of `relief_mm` (0 for none) as scanners see it."""

    def __init__(self, relief_mm: float, subdivisions: int = 1) -> None:
        self.face: MorphableModel = load_face(*FULL, subdivisions=subdivisions)
        self.partners = mirror_partners(self.face.template)
        self.relief_mm = relief_mm

    def surfaces(
        self,
        identity: Float32[ndarray, "b 160"],
        expression: Float32[ndarray, "b 72"],
        relief_seeds: Int64[ndarray, " b"],
        turned: Bool[ndarray, " b"] | None = None,
    ) -> TrueSurfaces:
        """Both surfaces of each face; mirrored where `turned`."""
        neutral = self.face.template + np.tensordot(identity, self.face.identity_basis, axes=1)
        expressive = neutral + np.tensordot(expression, self.face.expression_basis, axes=1)
        if self.relief_mm > 0:
            for row, seed in enumerate(relief_seeds):
                relief = skin_relief(self.face.template, int(seed), self.relief_mm)[:, None]
                for surface in (neutral[row], expressive[row]):
                    surface += vertex_normals(surface, self.face.triangles) * relief
        if turned is not None:
            for surface in (neutral, expressive):
                surface[turned] = self.face.template + mirrored(surface[turned] - self.face.template, self.partners)
        return TrueSurfaces(neutral, expressive)
