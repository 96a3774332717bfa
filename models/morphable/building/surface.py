"""Small operations on polygon meshes: loops, normals, triangulation."""

import numpy as np
from numpy.typing import NDArray


def boundary_loops(faces: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Closed loops of the directed edges that only one face uses."""
    width = faces.shape[1]
    edges = {(int(face[i]), int(face[(i + 1) % width])) for face in faces for i in range(width)}
    following = {start: end for start, end in edges if (end, start) not in edges}
    loops: list[NDArray[np.int64]] = []
    while following:
        start, vertex = following.popitem()
        loop = [start]
        while vertex != start:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop))
    return loops


def vertex_normals(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Area-weighted unit normals."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def arcs(loop: NDArray[np.int64], vertices: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Upper and lower arc of a loop, both from its leftmost to its rightmost vertex."""
    turned = np.roll(loop, -int(np.argmin(vertices[loop, 0])))
    right = int(np.argmax(vertices[turned, 0]))
    one, other = turned[: right + 1], np.r_[turned[right:], turned[:1]][::-1]
    return (one, other) if vertices[one, 1].mean() > vertices[other, 1].mean() else (other, one)


def split_quads(quads: NDArray[np.int64], vertices: NDArray[np.float64]) -> NDArray[np.int64]:
    """Two triangles a quad, along its shorter diagonal."""
    a, b, c, d = (vertices[quads[:, i]] for i in range(4))
    first = np.linalg.norm(a - c, axis=1) <= np.linalg.norm(b - d, axis=1) + 1e-6
    along_ac = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1)
    along_bd = np.stack([quads[:, [0, 1, 3]], quads[:, [1, 2, 3]]], axis=1)
    return np.where(first[:, None, None], along_ac, along_bd).reshape(-1, 3)
