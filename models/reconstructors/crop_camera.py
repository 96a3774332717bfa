"""The camera behind an aligned crop: what a regressor that sees only the crop can know of the pose."""

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.rendering.camera import PerspectiveCamera
from models.types import Pose

FOCAL_AT_224 = 1015.0
"""Focal length of the public R-Net for 224 x 224 crops, pixels; other sizes in proportion."""


def crop_camera(size: int) -> PerspectiveCamera:
    """The fixed camera that every crop of `size` x `size` is taken to come from."""
    middle = (size - 1) / 2
    return PerspectiveCamera(FOCAL_AT_224 * size / 224, (middle, middle))


def pose_in_crop(pose: Pose, camera: PerspectiveCamera, to_photo: Float64[ndarray, "2 3"], size: int) -> Pose:
    """The pose that shows the face through `crop_camera` as the crop shows it.

    `pose` is that of the photo with its `camera`; `to_photo` maps crop pixels to photo pixels. Alignment turns, scales
    and shifts the picture: it becomes roll, distance and sideways position; the small change of perspective is lost.
    """
    x, y, z = pose.translation_mm
    origin_px = np.array([camera.centre_xy[0] - camera.focal_px * x / z, camera.centre_xy[1] + camera.focal_px * y / z])
    linear, shift = to_photo[:, :2], to_photo[:, 2]
    column, row = np.linalg.solve(linear, origin_px - shift)
    photo_px_per_crop_px = float(np.sqrt(np.linalg.det(linear)))
    turned_deg = float(np.degrees(np.arctan2(linear[1, 0], linear[0, 0])))
    mine = crop_camera(size)
    distance = mine.focal_px * photo_px_per_crop_px * -z / camera.focal_px
    scale = distance / mine.focal_px
    # a turn of the picture adds to the roll; angles taken out of the product would jump half a turn beyond a profile
    roll_deg = (pose.roll_deg + turned_deg + 180) % 360 - 180
    where = ((column - mine.centre_xy[0]) * scale, (mine.centre_xy[1] - row) * scale, -distance)
    return Pose(pose.pitch_deg, pose.yaw_deg, roll_deg, (float(where[0]), float(where[1]), float(where[2])))
