"""Style codes of known surfaces: what the decoder's latent space is before anything is trained.

As in generative latent optimisation (Bojanowski et al., ICML 2018) the codes start from a principal component
analysis. It is taken over the faces and their mirror images together, whose components are each symmetric or
antisymmetric, so that mirroring a face changes nothing but the sign of some numbers of its code.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from models.errors import ConfigurationError
from models.morphable.mirror import mirrored


class StylePart(NamedTuple):
    """Half of a code: what one standard deviation of each number moves (mm), and its sign under mirroring."""

    directions: Float32[ndarray, "k n 3"]
    signs: Float32[ndarray, " k"]

    def codes(self, moves: Float32[ndarray, "f n 3"]) -> Float32[ndarray, "f k"]:
        """Coordinates of displacements (mm); the directions are orthogonal."""
        flat = self.directions.reshape(len(self.directions), -1)
        return (moves.reshape(len(moves), -1) @ flat.T / (flat**2).sum(axis=1)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class StyleSpace:
    """Codes (identity, then expression) of faces given by their vertices (mm, face frame).

    Only the leading `n` vertices are looked at: those of the coarse mesh, which keep their index when it is subdivided.
    A code of zeros is the neutral template; numbers are of unit mean square over the faces it was made from.
    """

    template: Float32[ndarray, "n 3"]
    identity: StylePart
    expression: StylePart

    @property
    def signs(self) -> Float32[ndarray, " d"]:
        """What the code of a face is multiplied by to give that of the mirrored face."""
        return np.concatenate([self.identity.signs, self.expression.signs])

    @property
    def importance(self) -> Float32[ndarray, " d"]:
        """Root mean squared displacement (mm) of the vertices by one unit of each number of a code."""
        both = np.concatenate([self.identity.directions, self.expression.directions])
        return np.sqrt((both**2).sum(axis=2).mean(axis=1))

    def codes(
        self, neutral: Float32[ndarray, "f v 3"], expressive: Float32[ndarray, "f v 3"]
    ) -> Float32[ndarray, "f d"]:
        """The code of each face, from the person's neutral face and the face as it is."""
        count = len(self.template)
        who = self.identity.codes(neutral[:, :count] - self.template)
        how = self.expression.codes(expressive[:, :count] - neutral[:, :count])
        return np.concatenate([who, how], axis=1)


def fit_style_space(
    template: Float32[ndarray, "n 3"],
    partners: Int32[ndarray, " n"],
    neutral: Float32[ndarray, "f n 3"],
    expressive: Float32[ndarray, "f n 3"],
    identity: int,
    expression: int,
) -> StyleSpace:
    """The space of `identity` + `expression` numbers that holds most of these faces; see `fit_part`."""
    return StyleSpace(
        template,
        fit_part(neutral - template, partners, identity, "identity"),
        fit_part(expressive - neutral, partners, expression, "expression"),
    )


def fit_part(moves: Float32[ndarray, "f n 3"], partners: Int32[ndarray, " n"], count: int, what: str) -> StylePart:
    """The `count` strongest components about zero of displacements (mm) and their mirror images.

    Raises `ConfigurationError` when the faces do not span so many.
    """
    other = mirrored(moves, partners)
    strengths, directions, signs = [], [], []
    for sign in (1.0, -1.0):
        half = ((moves + np.float32(sign) * other) / 2).reshape(len(moves), -1)
        strength, axes = _components(half, count)
        strengths.append(strength)
        directions.append(axes)
        signs.append(np.full(len(strength), sign, dtype=np.float32))
    order = np.argsort(-np.concatenate(strengths), kind="stable")[:count]
    if len(order) < count:
        raise ConfigurationError(
            f"style space: {len(moves)} faces span {len(order)} {what} components, {count} were asked for; draw more"
        )
    chosen = np.concatenate(directions)[order].reshape(count, *moves.shape[1:])
    return StylePart(np.ascontiguousarray(chosen), np.concatenate(signs)[order])


def _components(rows: Float32[ndarray, "f q"], count: int) -> tuple[ndarray, Float32[ndarray, "k q"]]:
    """Mean squares and directions, each as long as its root mean square, of the components that are not nothing."""
    squares, mixes = np.linalg.eigh((rows @ rows.T).astype(np.float64) / len(rows))
    kept = np.flatnonzero(squares > 1e-6 * squares.max())[::-1][:count]
    # a component is u = rows^T mix / sqrt(f square); times its root mean square that is rows^T mix / sqrt(f)
    return squares[kept], ((mixes[:, kept].T / np.sqrt(len(rows))).astype(np.float32) @ rows)
