"""Cut a face out of a scan."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from models.geometry.components import keep_vertices
from models.types import Scan


def crop_sphere(scan: Scan, centre: Float[ndarray, " 3"], radius_mm: float = 90.0) -> Scan:
    """The part of a scan within `radius_mm` of `centre` (camera frame, mm): whole triangles only, landmarks kept."""
    distance = np.linalg.norm(scan.vertices - centre, axis=1)
    return keep_vertices(scan, distance <= radius_mm)
