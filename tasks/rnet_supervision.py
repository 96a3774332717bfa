"""What R-Net and C-Net learn from: the losses on the built-in face, and the shards of `build_landmarked`."""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from infra.store import Artefact
from models.losses.perceptual import Embedder
from models.losses.vertex_weighted import VertexWeightedL2
from models.morphable.textured import load_drawn_face, load_textured_face
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.crop_camera import crop_camera
from models.reconstructors.expnet import POSE_WEIGHTS_MM2, surface_basis
from models.training.face_synthesis import FaceSynthesis
from models.training.landmark_shards import LandmarkShards
from models.training.weak_supervision import LossWeights, WeakSupervision


def build_supervision(weights: LossWeights, pixels: int, fine_mesh: bool, embed: Embedder | None) -> WeakSupervision:
    """The losses for crops of `pixels`; labels are compared as `VertexWeightedL2` does, in mm^2.

    Raises `ConfigurationError` when the perceptual loss has a weight but there is no `embed`.
    """
    face = load_textured_face() if fine_mesh else load_drawn_face()
    synthesis = FaceSynthesis(face, crop_camera(pixels), pixels)
    supervise = VertexWeightedL2(surface_basis(face), np.array(POSE_WEIGHTS_MM2, dtype=np.float32))
    return WeakSupervision(synthesis, RNetLayout(), face.masks["skin_photometric"], weights, embed, supervise)


def landmark_shards(shards: Sequence[Artefact], labelled: bool) -> LandmarkShards:
    """Crops and landmarks of all shards; their labels too where training is hybrid."""
    labels = stacked(shards, "labels") if labelled else None
    return LandmarkShards([shard.path / "crops.npy" for shard in shards], stacked(shards, "landmarks"), labels)


def stacked(shards: Sequence[Artefact], name: str) -> ndarray:
    """One array of all shards, in order."""
    return np.concatenate([np.load(shard.path / f"{name}.npy", allow_pickle=False) for shard in shards])
