"""Photos with 68 landmarks each, and labels where there are any: what weak and hybrid training learn from."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor

from models.errors import DataError
from models.training.shards import CoefficientShards

LANDMARK_NUMBERS = 136


class LandmarkTargets(NamedTuple):
    """What is known of photos: landmarks in crop pixels, and labels (see `RNetLayout.labelled`), NaN where unknown."""

    landmarks: Float[Tensor, "b 68 2"]
    labels: Float[Tensor, "b l"]


class LandmarkShards(CoefficientShards):
    """Crops with their landmarks (crop pixels); a row of `labels` is NaN, or `labels` None, where there is none.

    Raises `DataError` when their numbers differ or a landmark is not finite.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        landmarks: Float32[ndarray, "n 68 2"],
        labels: Float32[ndarray, "m l"] | None = None,
    ) -> None:
        if not np.isfinite(landmarks).all():
            row = int(np.flatnonzero(~np.isfinite(landmarks).all(axis=(1, 2)))[0])
            raise DataError(f"landmarks of crop {row} are not finite: leave out photos without a detected face")
        known = np.empty((len(landmarks), 0), np.float32) if labels is None else labels
        if len(known) != len(landmarks):
            raise DataError(f"{len(landmarks)} crops with landmarks but {len(known)} labels: encode them anew")
        super().__init__(paths, np.concatenate([landmarks.reshape(len(landmarks), -1), known], axis=1))


def split_targets(targets: Float[Tensor, "b t"]) -> LandmarkTargets:
    """The rows of `LandmarkShards.targets`, taken apart."""
    return LandmarkTargets(targets[:, :LANDMARK_NUMBERS].unflatten(1, (68, 2)), targets[:, LANDMARK_NUMBERS:])
