"""From a photo to its one face: detected, chosen, landmarked."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.errors import PhotoError
from models.photos.assets import DETECTOR, LANDMARKS, require_face_nets
from models.photos.detection import Detection, FaceDetector
from models.photos.landmarks import LandmarkNet
from models.photos.points import five_points
from models.types import Photo


class FaceNets(NamedTuple):
    """Both networks; one set a thread."""

    detector: FaceDetector
    landmarks: LandmarkNet


@dataclass(frozen=True, eq=False)
class PhotoFace:
    """The face of a photo, pixel frame: its detection, 468 points, their presence score and the five to align by."""

    detection: Detection
    landmarks: Float32[ndarray, "468 3"]
    presence: float
    points: Float32[ndarray, "5 2"]


def load_face_nets(folder: Path) -> FaceNets:
    """Both networks out of the asset folder, their hashes checked; raises `AssetMissing`."""
    paths = require_face_nets(folder)
    return FaceNets(FaceDetector(paths[DETECTOR.name]), LandmarkNet(paths[LANDMARKS.name]))


def analyse(photo: Photo, detector: FaceDetector, net: LandmarkNet) -> PhotoFace:
    """The most prominent face that has landmarks too; raises `PhotoError` when there is none."""
    height, width = photo.pixels.shape[:2]
    found = sorted(detector.detect(photo), key=lambda face: -prominence(face, width, height))
    if not found:
        raise PhotoError(f"{photo.path}: no face found; use a photo that shows a face larger and clearer")
    refused: list[PhotoError] = []
    for detection in found:
        try:
            points, presence = net.locate(photo, detection)
        except PhotoError as error:  # a pattern that only looks like a face must not hide a face beside it
            refused.append(error)
        else:
            return PhotoFace(detection, points, presence, five_points(points))
    raise refused[0]


def prominence(face: Detection, width: int, height: int) -> float:
    """Area of the face's box in square pixels, falling linearly to a tenth from the photo's middle to its corner."""
    low, high = face.box.reshape(2, 2)
    middle = np.array([width - 1, height - 1]) / 2
    off = float(np.hypot(*((low + high) / 2 - middle)) / max(np.hypot(*middle), 1e-9))
    return float(np.prod(high - low)) * max(0.1, 1 - off)
