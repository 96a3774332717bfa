"""Loop subdivision as a sparse matrix, so that it can be applied to a template, a basis or colours alike."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int32
from numpy import ndarray
from scipy.sparse import coo_array, csr_array, diags_array


class Subdivision(NamedTuple):
    """`weights` (n2, n) takes values at the coarse vertices to the fine ones; coarse vertices keep their index."""

    weights: csr_array
    triangles: Int32[ndarray, "m4 3"]


def loop_subdivision(triangles: Int32[ndarray, "m 3"], vertex_count: int) -> Subdivision:
    """One step of Loop's scheme (Loop 1987; Warren's vertex weights), with the usual rules on open borders."""
    edges, edge_of_side = _edges(triangles)
    border = np.bincount(edge_of_side, minlength=len(edges)) == 1
    odd = _odd_weights(triangles, edges, edge_of_side, border, vertex_count)
    even = _even_weights(edges, border, vertex_count)
    stacked = coo_array(
        (
            np.concatenate([even.data, odd.data]),
            (
                np.concatenate([even.coords[0], odd.coords[0] + vertex_count]),
                np.concatenate([even.coords[1], odd.coords[1]]),
            ),
        ),
        shape=(vertex_count + len(edges), vertex_count),
    )
    middle = edge_of_side.reshape(3, -1) + vertex_count
    a, b, c = triangles.T
    ab, bc, ca = middle
    fine = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    return Subdivision(csr_array(stacked.astype(np.float32)), fine.astype(np.int32))


def _edges(triangles: ndarray) -> tuple[ndarray, ndarray]:
    """Unique undirected edges (q, 2), and the edge of each side, sides listed as ab, bc, ca."""
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges, edge_of_side = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    return edges, edge_of_side.ravel()


def _odd_weights(
    triangles: ndarray, edges: ndarray, edge_of_side: ndarray, border: ndarray, vertex_count: int
) -> coo_array:
    """New vertices: 3/8 of both ends and 1/8 of both opposite corners; the middle of a border edge."""
    opposite = np.concatenate([triangles[:, 2], triangles[:, 0], triangles[:, 1]])
    inner = ~border[edge_of_side]
    count = len(edges)
    end_weight = np.where(border, 0.5, 0.375)
    rows = np.concatenate([np.arange(count), np.arange(count), edge_of_side[inner]])
    columns = np.concatenate([edges[:, 0], edges[:, 1], opposite[inner]])
    values = np.concatenate([end_weight, end_weight, np.full(inner.sum(), 0.125)])
    return coo_array((values, (rows, columns)), shape=(count, vertex_count))


def _even_weights(edges: ndarray, border: ndarray, vertex_count: int) -> coo_array:
    """Old vertices: 1 - kw of themselves, w of each neighbour; w = 3/(8k), 3/16 for k = 3; 3/4, 1/8, 1/8 on borders."""
    on_border = np.zeros(vertex_count, dtype=bool)
    on_border[edges[border].ravel()] = True
    both = np.concatenate([edges, edges[:, ::-1]])
    along_border = np.concatenate([border, border])
    valence = np.bincount(both[:, 0], minlength=vertex_count)
    inner_weight = np.where(valence == 3, 3 / 16, 3 / (8 * np.maximum(valence, 1)))
    used = np.where(on_border[both[:, 0]], along_border, True)
    values = np.where(on_border[both[:, 0]], 0.125, inner_weight[both[:, 0]])[used]
    ring = coo_array((values, (both[used, 0], both[used, 1])), shape=(vertex_count, vertex_count))
    own = diags_array(1.0 - np.asarray(ring.sum(axis=1)).ravel())
    return coo_array(ring + own)
