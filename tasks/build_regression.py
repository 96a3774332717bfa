"""Fills one shard of ExpNet's training data: aligned crops with the coefficients and pose behind them."""

from pathlib import Path

import numpy as np

from models.morphable.builtin import load_face
from models.networks.expnet import CoefficientLayout
from models.photos.alignment import align_photo
from models.photos.decoding import read_photo
from models.reconstructors.crop_camera import pose_in_crop
from models.reconstructors.expnet import to_vector
from models.rendering.camera import PerspectiveCamera
from models.types import Coefficients, Pose
from tasks.build_photos import read_rows
from tasks.files import save_array


def build_regression(folder: Path, pixels: int, shard: Path) -> None:
    """`crops.npy`, `targets.npy` (see `to_vector`) and the untruncated true coefficients of one photo shard."""
    layout, space = CoefficientLayout(), load_face().space
    rows = read_rows(shard / "rows.csv")
    crops, targets = [], []
    with np.load(shard / "truth.npz", allow_pickle=False) as truth:
        middle = (float(truth["size_px"]) - 1) / 2
        for number, row in enumerate(rows):
            photo = read_photo(shard / row.path)
            aligned = align_photo(photo, truth["five_points"][number].astype(np.float32), pixels)
            pitch, yaw, roll, *where = (float(value) for value in truth["pose"][number])
            camera = PerspectiveCamera(float(truth["focal_px"][number]), (middle, middle))
            pose = pose_in_crop(
                Pose(pitch, yaw, roll, (where[0], where[1], where[2])), camera, aligned.to_photo, pixels
            )
            identity = truth["identity"][number][: layout.identity]
            expression = truth["expression"][number][: layout.expression]
            targets.append(to_vector(Coefficients(space, identity, expression, pose=pose), layout))
            crops.append(aligned.pixels.transpose(2, 0, 1))
        save_array(folder / "identity.npy", truth["identity"])
        save_array(folder / "expression.npy", truth["expression"])
    save_array(folder / "crops.npy", np.stack(crops))
    save_array(folder / "targets.npy", np.stack(targets))
    save_array(folder / "subject.npy", np.array([row.subject for row in rows], dtype=np.int64))
