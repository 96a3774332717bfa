"""Fills one shard of R-Net's training data: aligned crops with their landmarks, and the faces and poses behind them."""

from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from scipy.sparse import csr_array

from models.faceworld.conditions import Shot
from models.faceworld.photos import place
from models.faceworld.studio import open_studio
from models.morphable.textured import load_textured_face
from models.networks.rnet_layout import RNetLayout
from models.photos.alignment import align_photo
from models.photos.decoding import read_photo
from models.reconstructors.crop_camera import pose_in_crop
from models.rendering.camera import PerspectiveCamera, project
from models.types import Coefficients, Pose
from tasks.build_photos import read_rows
from tasks.files import save_array

Truth = dict[str, ndarray]
"""What `build_photos` keeps of the photos of a shard, by name."""


def build_landmarked(folder: Path, pixels: int, shard: Path) -> None:
    """`crops.npy` (n, 3, s, s), `landmarks.npy` (iBUG's 68, crop pixels), `labels.npy` (see `RNetLayout.label`),
    `subject.npy`, and the untruncated true coefficients of one photo shard.
    """
    layout, space = RNetLayout(), load_textured_face(subdivisions=0).space
    truth = _read_truth(shard / "truth.npz")
    rows = read_rows(shard / "rows.csv")
    crops, landmarks, labels = [], [], []
    for number, row in enumerate(rows):
        aligned = align_photo(read_photo(shard / row.path), truth["five_points"][number].astype(np.float32), pixels)
        shot = _shot(truth, number)
        pose = pose_in_crop(shot.pose, shot.camera, aligned.to_photo, pixels)
        identity, expression = truth["identity"][number], truth["expression"][number]
        known = Coefficients(space, identity[: layout.identity], expression[: layout.expression], pose=pose)
        labels.append(layout.label(known))
        landmarks.append(_in_crop(_landmarks_in_photo(identity, expression, shot), aligned.to_photo))
        crops.append(aligned.pixels.transpose(2, 0, 1))
    save_array(folder / "crops.npy", np.stack(crops))
    save_array(folder / "landmarks.npy", np.stack(landmarks))
    save_array(folder / "labels.npy", np.stack(labels))
    save_array(folder / "identity.npy", truth["identity"])
    save_array(folder / "expression.npy", truth["expression"])
    save_array(folder / "subject.npy", np.array([row.subject for row in rows], dtype=np.int64))


def _read_truth(path: Path) -> Truth:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def _shot(truth: Truth, number: int) -> Shot:
    middle = (float(truth["size_px"]) - 1) / 2
    pitch, yaw, roll, x, y, z = (float(value) for value in truth["pose"][number])
    return Shot(
        Pose(pitch, yaw, roll, (x, y, z)), PerspectiveCamera(float(truth["focal_px"][number]), (middle, middle))
    )


def _landmarks_in_photo(
    identity: Float32[ndarray, " k"], expression: Float32[ndarray, " e"], shot: Shot
) -> Float32[ndarray, "68 2"]:
    """Where the landmarks of the photographed head are in the photo, seen or not."""
    points = _landmark_rows() @ open_studio().model.head.shape(identity, expression)
    return project(place(points, shot.pose), shot.camera)[:, :2]


@cache
def _landmark_rows() -> csr_array:
    """The rows of the refinement that give the landmarks of the fine mesh."""
    studio = open_studio()
    return studio.refine[studio.model.head.landmarks68]


def _in_crop(points: Float32[ndarray, "n 2"], to_photo: Float64[ndarray, "2 3"]) -> Float32[ndarray, "n 2"]:
    """Photo pixels to crop pixels."""
    linear, shift = to_photo[:, :2], to_photo[:, 2]
    return np.linalg.solve(linear, (points - shift).T).T.astype(np.float32)
