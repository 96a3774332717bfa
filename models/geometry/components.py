"""Keep the largest connected piece of a mesh, and take parts out of a mesh."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from models.errors import ScanError
from models.types import Scan


class LargestComponent(NamedTuple):
    """The largest piece by number of vertices, how many pieces there were, and how many vertices went."""

    scan: Scan
    pieces: int
    removed_vertices: int


def keep_vertices(scan: Scan, keep: Bool[ndarray, " n"]) -> Scan:
    """The triangles all of whose corners are kept, and the kept vertices; landmarks stay as they are."""
    number = np.cumsum(keep, dtype=np.int32) - np.int32(1)
    inside = keep[scan.triangles].all(axis=1)
    colours = None if scan.colours is None else scan.colours[keep]
    return Scan(scan.vertices[keep], number[scan.triangles[inside]], colours, scan.landmarks)


def largest_component(scan: Scan) -> LargestComponent:
    """Drop everything that no chain of edges joins to the piece with the most vertices. Raises `ScanError` if empty."""
    count = len(scan.vertices)
    if count == 0 or len(scan.triangles) == 0:
        raise ScanError("largest component: the mesh has no triangles; give a surface, not a point cloud")
    start, end = scan.triangles[:, [0, 1]].ravel(), scan.triangles[:, [1, 2]].ravel()
    edges = sparse.coo_array((np.ones(len(start), np.int8), (start, end)), shape=(count, count))
    _, label = connected_components(edges, directed=False)
    sizes = np.bincount(label)
    keep = label == sizes.argmax()
    if keep.all():
        return LargestComponent(scan, 1, 0)
    return LargestComponent(keep_vertices(scan, keep), len(sizes), count - int(keep.sum()))
