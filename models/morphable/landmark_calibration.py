"""What detected landmarks mean on a face and how they err: derived by `reconstructors.build_landmark_calibration`."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray
from safetensors import safe_open

from models.errors import ArtefactError


class LandmarkErrors(NamedTuple):
    """How detected points differ from the places they mean, in fractions of the aligned crop's side.

    Always by `bias`; together by `habits`, each times a standard normal number; each point for itself by `deviation`.
    """

    bias: Float32[ndarray, "p 2"]
    habits: Float32[ndarray, "h p 2"]
    deviation: Float32[ndarray, " p"]


class LandmarkCalibration(NamedTuple):
    """The vertex of `load_face()` that each of MediaPipe's 468 points means, and their errors; and the errors of the 68
    that `models.photos.points.landmarks68` picks from them, against iBUG's places.
    """

    vertices: Int32[ndarray, " 468"]
    dense: LandmarkErrors
    sparse: LandmarkErrors


@cache
def load_landmark_calibration() -> LandmarkCalibration:
    """The shipped calibration; raises `ArtefactError` when it cannot be read."""
    path = files("models.morphable").joinpath("assets/landmark_calibration.safetensors")
    try:
        with safe_open(str(path), framework="numpy") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, FileNotFoundError) as error:
        raise ArtefactError(
            f"{path}: the landmark calibration cannot be read ({error}); reinstall trinormal"
        ) from error
    dense, sparse = (
        LandmarkErrors(*(tensors[f"{kind}_{name}"].astype(np.float32) for name in LandmarkErrors._fields))
        for kind in ("dense", "sparse")
    )
    return LandmarkCalibration(tensors["vertices"], dense, sparse)
