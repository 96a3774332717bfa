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


class VisiblePixels(NamedTuple):
    """The pixels of a batch of pictures that see a surface, in reading order, and the vertices of their triangles.

    `corners` number the vertices of the whole batch, one mesh after the other.
    """

    covered: Bool[Tensor, "b s s"]
    corners: Int64[Tensor, "p 3"]


class Rendering(NamedTuple):
    """Linear RGB of the covered pixels of a batch, in reading order: see `as_pictures`."""

    values: Float[Tensor, "p 3"]
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


def visible_pixels(
    vertices: Float[Tensor, "b n 3"], triangles: Int64[Tensor, "m 3"], camera: PerspectiveCamera, size: int
) -> VisiblePixels:
    """Where a surface is seen, and which; see `visible_triangles`."""
    seen = visible_triangles(vertices, triangles, camera, size)
    covered = seen >= 0
    image = covered.flatten().nonzero() // size**2
    return VisiblePixels(covered, triangles[seen[covered]] + vertices.shape[1] * image)


def interpolate_visible(
    vertices: Float[Tensor, "b n 3"],
    attributes: Float[Tensor, "b n c"],
    visible: VisiblePixels,
    camera: PerspectiveCamera,
) -> Float[Tensor, "p c"]:
    """Per-vertex `attributes` at the covered pixels, exact on the surface."""
    # index_select and not indexing: its gradient is summed in a fixed order, and faster
    table = torch.cat([vertices, attributes], dim=2).flatten(0, 1)
    at_corners = table.index_select(0, visible.corners.flatten()).unflatten(0, (-1, 3))
    size = visible.covered.shape[2]
    pixel = visible.covered.flatten().nonzero().flatten()
    x = (pixel % size - camera.centre_xy[0]) / camera.focal_px
    y = (camera.centre_xy[1] - pixel // size % size) / camera.focal_px
    weights = ray_weights(torch.stack([x, y], dim=1).to(vertices.dtype), at_corners[..., :3])
    return (weights[..., None] * at_corners[..., 3:]).sum(1)


def render(
    vertices: Float[Tensor, "b n 3"],
    triangles: Int64[Tensor, "m 3"],
    albedo: Float[Tensor, "b n 3"],
    light: Float[Tensor, "b 9 3"],
    camera: PerspectiveCamera,
    size: int,
) -> Rendering:
    """Lit surfaces (paper B eq. 3), shaded pixel by pixel with interpolated albedo and normals.

    `vertices` are in the camera frame, mm; `light` holds spherical harmonics as `lighting.shade` takes them.
    """
    visible = visible_pixels(vertices, triangles, camera, size)
    attributes = torch.cat([albedo, surface_normals(vertices, triangles)], dim=2)
    colour, normals = interpolate_visible(vertices, attributes, visible, camera).split(3, dim=1)
    counts = visible.covered.sum((1, 2)).tolist()
    parts = zip(colour.split(counts), functional.normalize(normals, dim=1).split(counts), light, strict=True)
    return Rendering(torch.cat([shade(*part) for part in parts]), visible.covered)


def as_pictures(values: Float[Tensor, "p c"], covered: Bool[Tensor, "b s s"]) -> Float[Tensor, "b c s s"]:
    """Values of covered pixels in their places, 0 elsewhere."""
    empty = values.new_zeros((covered.numel(), values.shape[1]))
    filled = empty.index_copy(0, covered.flatten().nonzero().flatten(), values)
    return filled.unflatten(0, tuple(covered.shape)).permute(0, 3, 1, 2)
