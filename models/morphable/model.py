"""A linear three-dimensional morphable model as plain arrays, whoever made it."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from models.errors import ConfigurationError


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """S = template + identity . alpha + expression . beta (paper A eq. 3, paper B eq. 1); mm, camera frame.

    The origin is the template's nose tip. A coefficient of 1 is one standard deviation of the population. The texture
    (paper B eq. 2) is linear RGB albedo. `space` names the model: coefficients of another space do not fit it.
    """

    space: str
    template: Float32[ndarray, "n 3"]
    triangles: Int32[ndarray, "m 3"]
    identity_basis: Float32[ndarray, "k n 3"]
    expression_basis: Float32[ndarray, "e n 3"]
    landmarks68: Int32[ndarray, " 68"]
    nose_tip: int
    texture_mean: Float32[ndarray, "n 3"] | None = None
    texture_basis: Float32[ndarray, "t n 3"] | None = None
    masks: dict[str, Float32[ndarray, " n"]] = field(default_factory=dict[str, Float32[ndarray, " n"]])

    def truncated(self, identity: int, expression: int) -> "MorphableModel":
        """The same model with its first `identity` and `expression` components; else `ConfigurationError`."""
        have = len(self.identity_basis), len(self.expression_basis)
        if identity > have[0] or expression > have[1]:
            raise ConfigurationError(
                f"{self.space} has {have[0]} identity and {have[1]} expression components; "
                f"{identity} and {expression} were asked for"
            )
        return replace(
            self,
            space=f"{self.space.split('/')[0]}/id{identity}/exp{expression}",
            identity_basis=self.identity_basis[:identity],
            expression_basis=self.expression_basis[:expression],
        )

    def shape(self, identity: Float32[ndarray, " a"], expression: Float32[ndarray, " b"]) -> Float32[ndarray, "n 3"]:
        """Vertices of one face, mm; shorter coefficient vectors use the leading components."""
        moved = np.tensordot(identity, self.identity_basis[: len(identity)], axes=1)
        return self.template + moved + np.tensordot(expression, self.expression_basis[: len(expression)], axes=1)
