"""Which unit a mesh is in, told from its size: formats like OBJ do not say."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.errors import ScanError
from models.types import Scan

# A head is 0.15 to 0.6 of a metre: 15 to 60 in centimetres, 150 to 600 in millimetres.
_METRES_BELOW = 3.0
_CENTIMETRES_BELOW = 60.0


def to_millimetres(vertices: Float32[ndarray, "n 3"], where: str) -> tuple[Float32[ndarray, "n 3"], float]:
    """Vertices in mm, and the factor that was applied.

    The largest side of the bounding box decides: below 3 the unit is the metre (1000), below 60 the centimetre (10),
    otherwise the millimetre (1). Raises `ScanError` when all vertices coincide.
    """
    extent = float(np.ptp(vertices, axis=0).max(initial=0.0)) if len(vertices) else 0.0
    if extent == 0.0:
        raise ScanError(f"{where}: all vertices coincide: not a surface")
    factor = 1000.0 if extent < _METRES_BELOW else 10.0 if extent < _CENTIMETRES_BELOW else 1.0
    return vertices * np.float32(factor), factor


def in_millimetres(scan: Scan, where: str) -> Scan:
    """The scan, its landmarks too, after `to_millimetres`."""
    vertices, factor = to_millimetres(scan.vertices, where)
    landmarks = {name: (x * factor, y * factor, z * factor) for name, (x, y, z) in scan.landmarks.items()}
    return replace(scan, vertices=vertices, landmarks=landmarks)
