"""What a step of weak training makes of its photos: R-Net alone, or R-Net with C-Net over sets of photos."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.networks.cnet import CNet, confident_mean
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout


class Analysis(NamedTuple):
    """What was made of photos, and the photos as the network saw them: the losses compare the two."""

    outputs: Float[Tensor, "b n"]
    values: Float[Tensor, "b 3 s s"]


class SinglePhotos(nn.Module):
    """R-Net, each photo on its own."""

    def __init__(self, network: RNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, values: Float[Tensor, "b 3 s s"]) -> Analysis:
        """R-Net's outputs."""
        return Analysis(self.network(values), values)


class PhotoSets(nn.Module):
    """A trained R-Net, held fixed, whose identities C-Net pools over sets of `views` photos that stand side by side."""

    def __init__(self, network: RNetwork, confidence: CNet, layout: RNetLayout, views: int) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        self.confidence = confidence
        self.layout = layout
        self.views = views

    def train(self, mode: bool = True) -> "PhotoSets":
        """R-Net keeps its statistics: it stays in evaluation mode."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, values: Float[Tensor, "b 3 s s"]) -> Analysis:
        """R-Net's outputs, with the identity of the whole set in each of its photos."""
        with torch.no_grad():
            features = self.network.features(values)
            outputs = self.network.head(features)
        own = self.layout.split(outputs).identity
        sets = (own.unflatten(0, (-1, self.views)), self.confidence(features).unflatten(0, (-1, self.views)))
        shared = confident_mean(*sets).repeat_interleave(self.views, dim=0)
        return Analysis(self.layout.with_identity(outputs, shared), values)
