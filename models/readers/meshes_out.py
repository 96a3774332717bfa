"""Meshes as files that any program opens."""

import numpy as np

from models.types import Scan


def write_obj(scan: Scan) -> bytes:
    """A Wavefront OBJ: vertices in mm with four decimals, triangles counted from 1, counter-clockwise from outside."""
    vertices = "v %.4f %.4f %.4f\n" * len(scan.vertices) % tuple(scan.vertices.ravel().tolist())
    triangles = "f %d %d %d\n" * len(scan.triangles) % tuple((scan.triangles.astype(np.int64) + 1).ravel().tolist())
    return f"# trinormal, millimetres\n{vertices}{triangles}".encode()
