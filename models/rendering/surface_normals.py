"""Normals at the vertices of meshes, in torch: batched and differentiable."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional


def surface_normals(vertices: Float[Tensor, "b n 3"], triangles: Int64[Tensor, "m 3"]) -> Float[Tensor, "b n 3"]:
    """Unit normals, outwards of counter-clockwise triangles: the area-weighted mean of the faces at a vertex.

    As `mesh_normals.vertex_normals`; a vertex that no triangle with area uses gets zero.
    """
    by_vertex = vertices.permute(1, 2, 0).contiguous()  # the batch last: rows that are gathered and added are long
    a, b, c = (by_vertex.index_select(0, corner) for corner in triangles.unbind(1))
    (ux, uy, uz), (vx, vy, vz) = (b - a).unbind(1), (c - a).unbind(1)
    faces = torch.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], dim=1)
    total = torch.zeros_like(by_vertex)
    for corner in triangles.unbind(1):
        total = total.index_add(0, corner, faces)
    return functional.normalize(total.permute(2, 0, 1), dim=-1)
