"""Several photos of one person to one shape: R-Net's identities pooled by C-Net's confidences (paper B, 3.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from numpy import ndarray
from torch import Tensor, nn

from models.networks.cnet import CNet
from models.networks.rnet import RNetwork
from models.reconstructors.rnet import RNet
from models.training.inference import predict_coefficients
from models.types import Coefficients


class Views(NamedTuple):
    """What was seen on photos: R-Net's outputs, and how far each of their identity coefficients is to be trusted."""

    outputs: Float32[ndarray, "n k"]
    confidence: Float32[ndarray, "n a"]


@dataclass(frozen=True, eq=False)
class PooledRNet:
    """A trained R-Net with the C-Net that was trained on its features."""

    rnet: RNet
    confidence: CNet

    def views(self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device, batch_size: int = 64) -> Views:
        """Outputs and confidences, one row of each a crop."""
        both = _Confident(self.rnet.network, self.confidence)
        rows = predict_coefficients(both, crops, batch_size=batch_size, device=device)
        return Views(rows[:, : self.rnet.layout.size], rows[:, self.rnet.layout.size :])

    def coefficients(
        self, crops: UInt8[ndarray, "n 3 s s"], owner: Int64[ndarray, " n"], device: torch.device, batch_size: int = 64
    ) -> list[Coefficients]:
        """One face a crop: its own expression, texture, light and pose with the identity pooled over its subject.

        `owner` numbers the subjects from 0.
        """
        outputs, confidence = self.views(crops, device, batch_size)
        count = self.rnet.layout.identity
        pooled = confident_means([outputs[:, :count]], [confidence], [owner], int(owner.max()) + 1)
        return self.rnet.unpacked(np.concatenate([pooled[owner], outputs[:, count:]], axis=1))


def confident_means(
    identities: Iterable[Float32[ndarray, "_ a"]],
    confidences: Iterable[Float32[ndarray, "_ a"]],
    owners: Sequence[Int64[ndarray, " _"]],
    count: int,
) -> Float32[ndarray, "s a"]:
    """Means over the rows of each of `count` subjects, weighted element by element: see `networks.cnet`.

    `pooling.subject_means` is the plain mean, and takes the same blocks. A subject without a row gets zeros.
    """
    above: ndarray | None = None
    below: ndarray | None = None
    for identity, confidence, owner in zip(identities, confidences, owners, strict=True):
        if above is None or below is None:
            above, below = np.zeros((2, count, identity.shape[1]))
        np.add.at(above, owner, confidence.astype(np.float64) * identity)
        np.add.at(below, owner, confidence)
    if above is None or below is None:
        return np.zeros((count, 0), dtype=np.float32)
    return (above / np.where(below > 0, below, 1)).astype(np.float32)


class _Confident(nn.Module):
    """Outputs and confidences side by side, from one look at each photo."""

    def __init__(self, network: RNetwork, confidence: CNet) -> None:
        super().__init__()
        self.network = network
        self.confidence = confidence

    def forward(self, photos: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b m"]:
        features = self.network.features(photos)
        return torch.cat([self.network.head(features), self.confidence(features)], dim=1)
