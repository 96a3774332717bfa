"""How far the faces that a network sees on photos of known people are from the true ones, as files and metrics."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from infra.store import Artefact
from models.reconstructors.landmark_error import LandmarkError, landmark_error
from models.reconstructors.rnet import RNet
from models.reconstructors.scoring import ShapeError, shape_error
from tasks.rnet_supervision import stacked


class FaceErrors(NamedTuple):
    """Vertices against the true ones (mm), and projected landmarks against those in the photos (crop pixels)."""

    shape: ShapeError
    landmarks: LandmarkError

    def as_data(self) -> dict[str, float]:
        """Plain names and numbers: what an artefact keeps and MLflow shows."""
        landmarks = {"landmark_px": self.landmarks.pixels, "landmark_interocular": self.landmarks.interocular}
        return {name: float(value) for name, value in self.shape._asdict().items()} | landmarks


def from_data(values: Mapping[str, Any]) -> FaceErrors:
    """The inverse of `as_data`."""
    known = dict(values)
    photos = int(known.pop("photos"))
    landmarks = LandmarkError(known.pop("landmark_px"), known.pop("landmark_interocular"), photos)
    return FaceErrors(ShapeError(**known, photos=photos), landmarks)


def face_errors(network: RNet, unseen: Sequence[Artefact], device: torch.device) -> FaceErrors:
    """Errors on all photos of the shards `unseen`, whose truth they hold."""
    crops = (np.load(shard.path / "crops.npy", mmap_mode="r", allow_pickle=False) for shard in unseen)
    predicted = [face for block in crops for face in network.coefficients(np.asarray(block), device)]
    return FaceErrors(
        shape_error(predicted, stacked(unseen, "identity"), stacked(unseen, "expression")),
        landmark_error(network.face, predicted, stacked(unseen, "landmarks"), network.crop_px),
    )
