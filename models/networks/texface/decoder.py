"""Style code to surface: coefficients of a linear basis, and a drawn map of the detail that the basis cannot hold."""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.networks.texface.modulation import SplineReader, StyledConvolution, StyledDrawing, enlarged

FIRST = 8
"""Side of the coarsest map, cells."""
DETAIL_MM = 0.1
"""What one unit of the drawn map moves: steps of the optimiser are then a small part of the detail there is."""


@dataclass(frozen=True)
class DecoderShape:
    """Length of both parts of a code, side of the finest map (8, 16, 32, ...) and channels of the coarsest.

    Channels are halved where the map's side is doubled, but never below a quarter of the first.
    """

    identity: int = 160
    expression: int = 48
    grid: int = 64
    channels: int = 64

    def __post_init__(self) -> None:
        if self.grid < FIRST or self.grid & (self.grid - 1):
            raise ConfigurationError(f"style decoder: a map of {self.grid} cells; choose 8, 16, 32, 64, 128 or 256")
        if min(self.identity, self.expression, self.channels // 4) < 1:
            raise ConfigurationError(
                f"style decoder: {asdict(self)}: every part of a code needs numbers; channels >= 4"
            )

    @property
    def code(self) -> int:
        """Length of a code: identity, then expression."""
        return self.identity + self.expression

    @property
    def levels(self) -> list[int]:
        """Channels of the maps, coarsest first."""
        return [max(self.channels >> level, self.channels // 4) for level in range((self.grid // FIRST).bit_length())]


class DecoderGeometry(NamedTuple):
    """What the decoder knows of the mesh: vertices and bases (mm, face frame), and each vertex' place on the map.

    `reach` (0-1) tells how much of the map's displacement a vertex follows. The directions move the vertices by one
    standard deviation of each number of a code: they give the linear coefficients to start from.
    """

    template: Float32[ndarray, "n 3"]
    identity_basis: Float32[ndarray, "k n 3"]
    expression_basis: Float32[ndarray, "e n 3"]
    places: Float32[ndarray, "n 2"]
    reach: Float32[ndarray, " n"]
    identity_directions: Float32[ndarray, "a n0 3"]
    expression_directions: Float32[ndarray, "b n0 3"]


class StyleDecoder(nn.Module):
    """S = template + identity . A w_id + expression . B w_ex + detail(w), w = (w_id, w_ex) being the style code.

    A and B bring the bases as near to the codes' directions as they come (least squares); they are not trained.
    `detail` is: a small image generator in the manner of StyleGAN2. The code makes an 8x8 map, which styled
    convolutions refine and enlarge; every size has a learnt ground of its own, since a nose is always at the same
    place of the map, and adds its share to the displacements (x, y, z) that the vertices read off. It starts at zero,
    so that an untrained decoder is the linear model.
    """

    template: Tensor
    identity_basis: Tensor
    expression_basis: Tensor
    reach: Tensor
    to_identity: Tensor
    to_expression: Tensor

    def __init__(self, shape: DecoderShape, geometry: DecoderGeometry) -> None:
        super().__init__()
        self.shape = shape
        self._keep(geometry)
        self.register_buffer("to_identity", _nearest(geometry.identity_basis, geometry.identity_directions))
        self.register_buffer("to_expression", _nearest(geometry.expression_basis, geometry.expression_directions))
        levels = shape.levels
        self.seed = nn.Linear(shape.code, levels[0] * FIRST**2)
        self.read = SplineReader(geometry.places, shape.grid)
        self.refine = nn.ModuleList(
            StyledConvolution(before, after, shape.code)
            for before, after in zip([levels[0], *levels[:-1]], levels, strict=True)
        )
        self.draw = nn.ModuleList(StyledDrawing(channels, shape.code) for channels in levels)
        sides = [FIRST << level for level in range(len(levels))]
        self.ground = nn.ParameterList(
            torch.randn(channels, side, side) for channels, side in zip([levels[0], *levels[:-1]], sides, strict=True)
        )

    def forward(self, codes: Float[Tensor, "b d"]) -> Float[Tensor, "b n 3"]:
        """Vertices, mm, face frame."""
        alpha, beta = self.coefficients(codes)
        moved = alpha @ self.identity_basis.flatten(1) + beta @ self.expression_basis.flatten(1)
        return self.template + moved.unflatten(1, (-1, 3)) + self.detail(codes)

    def coefficients(self, codes: Float[Tensor, "b d"]) -> tuple[Float[Tensor, "b k"], Float[Tensor, "b e"]]:
        """Identity and expression coefficients of the linear basis."""
        who, how = codes.split([self.shape.identity, self.shape.expression], dim=1)
        return who @ self.to_identity, how @ self.to_expression

    def detail(self, codes: Float[Tensor, "b d"]) -> Float[Tensor, "b n 3"]:
        """Displacement beyond the linear basis, mm."""
        return self.read(self.detail_map(codes)) * self.reach[:, None]

    def detail_map(self, codes: Float[Tensor, "b d"]) -> Float[Tensor, "b 3 g g"]:
        """The map of displacements (x, y, z; mm)."""
        features = self.seed(codes).unflatten(1, (-1, FIRST, FIRST))
        drawn = torch.zeros(len(codes), 3, FIRST, FIRST, device=codes.device)
        for level, (ground, refine, draw) in enumerate(zip(self.ground, self.refine, self.draw, strict=True)):
            if level:
                features, drawn = enlarged(features), enlarged(drawn)
            features = refine(features + ground, codes)
            drawn = drawn + draw(features, codes)
        return DETAIL_MM * drawn

    def _keep(self, geometry: DecoderGeometry) -> None:
        for name in ("template", "identity_basis", "expression_basis", "reach"):
            self.register_buffer(name, torch.from_numpy(getattr(geometry, name)), persistent=False)


def _nearest(basis: Float32[ndarray, "k n 3"], directions: Float32[ndarray, "d n0 3"]) -> Float32[Tensor, "d k"]:
    """The linear map from codes to coefficients whose surfaces are nearest to the codes' own."""
    seen = directions.shape[1]
    columns = torch.from_numpy(basis[:, :seen]).flatten(1).T.double()
    wanted = torch.from_numpy(directions).flatten(1).T.double()
    return torch.linalg.lstsq(columns, wanted).solution.T.float().contiguous()
