"""What R-Net and C-Net are trained with: the photo itself, its landmarks, and labels where there are any."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.losses.catalogue import CoefficientLoss
from models.losses.coefficient_prior import CoefficientPrior
from models.losses.landmarks68 import Landmarks68
from models.losses.perceptual import Embedder, Perceptual
from models.losses.photometric import Photometric
from models.losses.texture_variance import TextureVariance
from models.networks.preprocessing import CENTRE, SCALE
from models.networks.rnet_layout import FaceParameters, RNetLayout
from models.training.face_synthesis import FaceSynthesis
from models.training.landmark_shards import split_targets


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts; one of weight 0 is not computed. The first five are the published ones.

    `labels` weighs the coefficient supervision of hybrid training: 0 is weak training, without any label.
    """

    photometric: float = 1.9
    landmarks: float = 1.6e-3
    perceptual: float = 0.2
    coefficients: float = 3e-4
    texture: float = 5.0
    labels: float = 0.0


class LossTerms(NamedTuple):
    """The terms before weighting, means over the batch (0 for those of weight 0), and their weighted sum."""

    photometric: Float[Tensor, ""]
    landmarks: Float[Tensor, ""]
    perceptual: Float[Tensor, ""]
    coefficients: Float[Tensor, ""]
    texture: Float[Tensor, ""]
    labels: Float[Tensor, ""]
    total: Float[Tensor, ""]


class WeakSupervision(nn.Module):
    """The hybrid-level loss of paper B (3.2) on R-Net's outputs.

    `embed` is the perceptual network, `supervise` the loss on labels (see `RNetLayout.labelled`), such as
    `VertexWeightedL2`; `skin` weighs the vertices of cheeks, nose and forehead. Raises `ConfigurationError` when a
    term has a weight but lacks what it needs.
    """

    def __init__(
        self,
        synthesis: FaceSynthesis,
        layout: RNetLayout,
        skin: Float32[ndarray, " n"],
        weights: LossWeights,
        embed: Embedder | None = None,
        supervise: CoefficientLoss | None = None,
    ) -> None:
        super().__init__()
        _require("perceptual", weights.perceptual, embed, "give an embedder")
        _require("labels", weights.labels, supervise, "give a coefficient loss")
        self.synthesis = synthesis
        self.layout = layout
        self.weights = weights
        self.photometric = Photometric()
        self.landmarks = Landmarks68(synthesis.pixels)
        self.perceptual = None if embed is None else Perceptual(embed)
        self.prior = CoefficientPrior()
        self.texture = TextureVariance(skin)
        self.supervise = supervise

    def forward(
        self, outputs: Float[Tensor, "b n"], values: Float[Tensor, "b 3 s s"], targets: Float[Tensor, "b t"]
    ) -> LossTerms:
        """Terms of a batch. `values` are the photos as the network saw them, `targets` rows of `LandmarkShards`.

        In float32 whatever the precision outside: geometry in millimetres does not fit fewer bits.
        """
        with torch.autocast(outputs.device.type, enabled=False):
            return self._terms(outputs.float(), values.float(), targets)

    def extra_repr(self) -> str:
        """The weights: they make one training run another than the next."""
        return f"{self.weights}, {self.layout}"

    def _terms(self, outputs: Tensor, values: Tensor, targets: Tensor) -> LossTerms:
        wanted, labels = split_targets(targets)
        face = self.layout.decode(outputs)
        vertices = self.synthesis.vertices(face)
        zero = outputs.new_zeros(())
        landmarks = self.landmarks(self.synthesis.landmarks(vertices), wanted) if self.weights.landmarks else zero
        prior = self.prior(face.identity, face.expression, face.texture) if self.weights.coefficients else zero
        labelled = self._labelled(outputs, labels) if self.weights.labels else zero
        photometric, perceptual, texture = self._appearance(face, vertices, (values * SCALE + CENTRE) / 255)
        terms = (photometric, landmarks, perceptual, prior, texture, labelled)
        return LossTerms(*terms, total=self._weighted(terms))

    def _appearance(self, face: FaceParameters, vertices: Tensor, photos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        zero = vertices.new_zeros(())
        albedo = self.synthesis.texture(face.texture)
        texture = self.texture(albedo) if self.weights.texture else zero
        if not (self.weights.photometric or self.weights.perceptual):
            return zero, zero, texture
        mine = self.synthesis.picture(vertices, albedo, face.light)
        photometric = self.photometric(mine.values, photos, mine.covered) if self.weights.photometric else zero
        if self.perceptual is None or not self.weights.perceptual:
            return photometric, zero, texture
        # around the face the photo itself, so that only the face can differ
        whole = torch.where(mine.covered[:, None], mine.values, photos)
        return photometric, self.perceptual(whole, photos), texture

    def _labelled(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch, photos without a label counting as right."""
        known = labels.isfinite().all(1)
        if self.supervise is None or labels.shape[1] == 0 or not known.any():
            return outputs.new_zeros(())
        return self.supervise(self.layout.labelled(outputs)[known], labels[known]) * known.float().mean()

    def _weighted(self, terms: tuple[Tensor, ...]) -> Tensor:
        w = self.weights
        factors = (w.photometric, w.landmarks, w.perceptual, w.coefficients, w.texture, w.labels)
        return sum((factor * term for factor, term in zip(factors, terms, strict=True)), terms[0].new_zeros(()))


def _require(term: str, weight: float, needed: object | None, remedy: str) -> None:
    if weight and needed is None:
        raise ConfigurationError(f"the {term} loss has weight {weight} but nothing to compute it with: {remedy}")
