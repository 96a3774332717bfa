"""A small textured face model, and pictures of its faces whose every cause is known."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from models.morphable.textured import load_textured_face
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.crop_camera import crop_camera
from models.training.face_synthesis import FaceSynthesis
from models.training.landmark_shards import LandmarkShards

PIXELS = 32
LAYOUT = RNetLayout(identity=8, expression=4, texture=6)
FACE = load_textured_face(8, 4, 6, subdivisions=0)
SKIN = FACE.masks["skin_photometric"]


class Pictured(NamedTuple):
    """Faces by their output vectors, seen on photos (bytes) with landmarks in crop pixels."""

    outputs: torch.Tensor
    photos: np.ndarray
    landmarks: np.ndarray


def synthesis(pixels=PIXELS) -> FaceSynthesis:
    return FaceSynthesis(FACE, crop_camera(pixels), pixels)


def some_outputs(count, seed=0, size=0.6) -> torch.Tensor:
    """Faces turned and lit a little differently."""
    outputs = size * torch.randn(count, LAYOUT.size, generator=torch.Generator().manual_seed(seed))
    outputs[:, 18:21] *= 0.5
    outputs[:, -3:] *= torch.tensor([0.15, 0.15, 1.0])
    outputs[:, -2] -= 0.7  # the nose tip, where the face's origin is, lies below the middle of a crop
    return outputs


def pictured(outputs, pixels=PIXELS) -> Pictured:
    """Photos of the faces before a blue wall."""
    drawing = synthesis(pixels)
    with torch.no_grad():
        face = LAYOUT.decode(outputs)
        vertices = drawing.vertices(face)
        seen = drawing.picture(vertices, drawing.texture(face.texture), face.light)
        wall = torch.tensor([0.2, 0.3, 0.6])[:, None, None]
        photos = torch.where(seen.covered[:, None], seen.values, wall).clamp(0, 1)
        return Pictured(outputs, (photos * 255 + 0.5).byte().numpy(), drawing.landmarks(vertices).numpy())


def shards(folder: Path, faces: Pictured, labelled=0) -> LandmarkShards:
    """The faces on disk, the first `labelled` of them with labels."""
    np.save(folder / "crops.npy", faces.photos)
    labels = LAYOUT.labelled(faces.outputs).numpy().copy()
    labels[labelled:] = np.nan
    return LandmarkShards([folder / "crops.npy"], faces.landmarks, labels if labelled else None)
