"""Normals at the vertices of meshes, in torch: batched and differentiable."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional


def surface_normals(vertices: Float[Tensor, "b n 3"], triangles: Int64[Tensor, "m 3"]) -> Float[Tensor, "b n 3"]:
    """Unit normals, outwards of counter-clockwise triangles: the area-weighted mean of the faces at a vertex.

    As `mesh_normals.vertex_normals`; a vertex that no triangle with area uses gets zero.
    """
    a, b, c = (vertices.index_select(1, corner) for corner in triangles.unbind(1))
    faces = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for corner in triangles.unbind(1):
        total = total.index_add(1, corner, faces)
    return functional.normalize(total, dim=-1)
