"""468 landmarks in three dimensions: MediaPipe's face mesh network (Kartynnik et al. 2019)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from models.errors import PhotoError
from models.photos.detection import Detection
from models.photos.litert import LiteNetwork
from models.photos.warping import from_centres, warp_square
from models.types import Photo

INPUT_SIDE = 192
MIN_PRESENCE = 0.5
# The region of interest the network was trained on: the face's box, half as large again, eyes level.
_ENLARGE = 1.5
_EYE_CORNERS = [33, 263]


class Landmarks(NamedTuple):
    """Points in the pixel frame; z on the same scale, growing away from the camera, zero near the face's middle."""

    points: Float32[ndarray, "468 3"]
    presence: float


class LandmarkNet:
    """The network and its region of interest. Not to be shared between threads."""

    def __init__(self, network: Path) -> None:
        self._network = LiteNetwork(network)

    def locate(self, photo: Photo, detection: Detection) -> Landmarks:
        """Landmarks of the detected face; raises `PhotoError` when the network sees no face there.

        Looks twice: the first points place the region for the second look more closely than the detector can.
        """
        first = self._look(photo, _around_detection(detection))
        return self._look(photo, _around_landmarks(first.points))

    def _look(self, photo: Photo, to_photo: Float64[ndarray, "2 3"]) -> Landmarks:
        crop = warp_square(photo.pixels, from_centres(to_photo), INPUT_SIDE)
        outputs = self._network.run(crop, low=0.0, high=1.0)
        presence = float(1 / (1 + np.exp(-np.clip(outputs[1].item(), -80, 80))))
        if presence < MIN_PRESENCE:
            seen = f"presence {presence:.2f}, needed {MIN_PRESENCE}"
            raise PhotoError(f"{photo.path}: no face found where one was suspected ({seen}); use a clearer photo")
        raw = outputs[1404].reshape(468, 3)
        flat = raw[:, :2] @ to_photo[:, :2].T + to_photo[:, 2]
        depth = raw[:, 2:] * np.hypot(*to_photo[:, 0])
        return Landmarks(np.concatenate([flat, depth], axis=1).astype(np.float32), presence)


def _around_detection(detection: Detection) -> Float64[ndarray, "2 3"]:
    low, high = detection.box.reshape(2, 2).astype(np.float64)
    return _region((low + high) / 2, float((high - low).max()), _level_axes(*detection.keypoints[:2]))


def _around_landmarks(points: Float32[ndarray, "468 3"]) -> Float64[ndarray, "2 3"]:
    """The box is measured along the turned axes, so that a tilted face is framed as an upright one is."""
    axes = _level_axes(*points[_EYE_CORNERS, :2])
    along = points[:, :2] @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    return _region(axes @ (low + high) / 2, float((high - low).max()), axes)


def _level_axes(left_eye: Float32[ndarray, "2"], right_eye: Float32[ndarray, "2"]) -> Float64[ndarray, "2 2"]:
    """Columns: the face's right-hand and downward directions in the image."""
    across = (right_eye - left_eye).astype(np.float64)
    across /= max(float(np.hypot(*across)), 1e-9)
    return np.stack([across, np.array([-across[1], across[0]])], axis=1)


def _region(centre: Float64[ndarray, "2"], extent: float, axes: Float64[ndarray, "2 2"]) -> Float64[ndarray, "2 3"]:
    """From the network's pixel edges to the photo: a square along `axes` about `centre`."""
    side = _ENLARGE * extent
    return np.column_stack([axes * (side / INPUT_SIDE), centre - axes @ np.full(2, side / 2)])
