"""A renderer with gradients: the z-buffer says which triangle a pixel sees, and that is held fixed; where in the
triangle, and with what colour, is recomputed in torch.

So gradients reach vertices, albedo and light exactly wherever a pixel keeps its triangle or passes to a neighbour that
shares the edge. The outline itself has none: it would need a soft rasteriser (Liu et al., ICCV 2019).
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from models.rendering.camera import PerspectiveCamera, project
from models.rendering.lighting import shade
from models.rendering.rasteriser import rasterise
from models.rendering.surface_normals import surface_normals

SMALLEST_AREA_MM2 = 1e-4
"""Triangles seen so nearly edge-on that they would cover less than this have their weights, and gradients, bounded."""


class Blend(NamedTuple):
    """A per-vertex attribute at every pixel, 0 where nothing is seen, and where something is."""

    values: Float[Tensor, "b s s c"]
    covered: Bool[Tensor, "b s s"]


def visible_triangles(
    vertices: Float[Tensor, "b n 3"], triangles: Int64[Tensor, "m 3"], camera: PerspectiveCamera, size: int
) -> Int64[Tensor, "b s s"]:
    """The triangle that each pixel of a `size` x `size` picture sees, -1 for nothing; no gradient.

    `vertices` are in the camera frame, mm. Computed on the CPU. Raises `ScanError` where a vertex is not finite or not
    in front of the camera.
    """
    corners = triangles.cpu().numpy().astype(np.int32)
    meshes = vertices.detach().cpu().numpy()
    seen = [rasterise(project(mesh, camera), corners, size, size).triangle for mesh in meshes]
    return torch.from_numpy(np.stack(seen)).to(vertices.device, torch.int64)


def ray_weights(rays_xy: Float[Tensor, "p 2"], corners: Float[Tensor, "p 3 3"]) -> Float[Tensor, "p 3"]:
    """Barycentric weights, on the surface, of the point where each ray meets the plane of its triangle.

    A ray leaves the camera along (x, y, -1). Sheared along z so that the ray becomes the optical axis, the corners'
    cross products are the weights of homogeneous rasterisation (Olano & Greer 1997): exact under perspective.
    """
    q = corners[..., :2] + rays_xy[:, None] * corners[..., 2:]
    after, last = q.roll(-1, dims=1), q.roll(-2, dims=1)
    areas = after[..., 0] * last[..., 1] - after[..., 1] * last[..., 0]
    total = areas.sum(1, keepdim=True)
    bound = torch.full_like(total, SMALLEST_AREA_MM2).copysign(total)
    return areas / torch.where(total.abs() < SMALLEST_AREA_MM2, bound, total)


def interpolate_visible(
    vertices: Float[Tensor, "b n 3"],
    triangles: Int64[Tensor, "m 3"],
    attributes: Float[Tensor, "b n c"],
    camera: PerspectiveCamera,
    size: int,
) -> Blend:
    """Per-vertex `attributes` at each pixel of `size` x `size` pictures, exact on the surface: `visible_triangles`."""
    seen = visible_triangles(vertices, triangles, camera, size)
    covered = seen >= 0
    pixel = covered.flatten().nonzero().flatten()
    row, column = pixel // size % size, pixel % size
    corner = triangles[seen[covered]] + vertices.shape[1] * (pixel // size**2)[:, None]
    # index_select and not indexing: its gradient is summed in a fixed order, and faster
    table = torch.cat([vertices, attributes], dim=2).flatten(0, 1)
    at_corners = table.index_select(0, corner.flatten()).unflatten(0, (-1, 3))
    x = (column - camera.centre_xy[0]) / camera.focal_px
    y = (camera.centre_xy[1] - row) / camera.focal_px
    weights = ray_weights(torch.stack([x, y], dim=1).to(vertices.dtype), at_corners[..., :3])
    blended = (weights[..., None] * at_corners[..., 3:]).sum(1)
    empty = attributes.new_zeros((covered.numel(), attributes.shape[2]))
    return Blend(empty.index_copy(0, pixel, blended).unflatten(0, tuple(covered.shape)), covered)


def render(
    vertices: Float[Tensor, "b n 3"],
    triangles: Int64[Tensor, "m 3"],
    albedo: Float[Tensor, "b n 3"],
    light: Float[Tensor, "b 9 3"],
    camera: PerspectiveCamera,
    size: int,
) -> Blend:
    """Linear RGB of lit surfaces (paper B eq. 3), shaded pixel by pixel with interpolated albedo and normals.

    `vertices` are in the camera frame, mm; `light` holds spherical harmonics as `lighting.shade` takes them.
    """
    attributes = torch.cat([albedo, surface_normals(vertices, triangles)], dim=2)
    blend = interpolate_visible(vertices, triangles, attributes, camera, size)
    colour, normals = blend.values.flatten(1, 2).split(3, dim=2)
    lit = shade(colour, functional.normalize(normals, dim=-1), light)
    return Blend(lit.unflatten(1, (size, size)), blend.covered)
