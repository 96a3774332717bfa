"""Losses, one a file; importing the room fills its two catalogues."""

from models.losses.asymmetric import AsymmetricEuclidean
from models.losses.catalogue import CoefficientLoss, HeadOutput, IdentityHead, heads, objectives
from models.losses.cross_entropy import CrossEntropyHead
from models.losses.l2 import L2
from models.losses.lmcl import LargeMarginCosineHead
from models.losses.vertex_weighted import VertexWeightedL2

__all__ = [
    "L2",
    "AsymmetricEuclidean",
    "CoefficientLoss",
    "CrossEntropyHead",
    "HeadOutput",
    "IdentityHead",
    "LargeMarginCosineHead",
    "VertexWeightedL2",
    "heads",
    "objectives",
]
