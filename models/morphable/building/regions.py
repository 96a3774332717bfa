"""Soft regions of the head: some painted in texture space by the assets' authors, the others drawn on the base head.

Coordinates here are the base mesh's: mm, eyes at height 728, nose tip at (0, 694, 168), mouth at height 661.
Brows, scalp, beard, iris and pupil are *ramps* that cross one half at the usual edge and are some millimetres wide, so
that an edge can be moved and sharpened after subdivision.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_matrix
from scipy.spatial import cKDTree

from models.morphable.building.head_mesh import Head
from models.morphable.building.surface import vertex_normals

Field = NDArray[np.float64]
BROW_ARC = np.array([[10.0, 744.5], [16.0, 746.3], [23.0, 748.2], [30.0, 749.2], [38.0, 748.2], [47.0, 743.8]])
HAIRLINE_DEG = np.array([0.0, 20.0, 40.0, 58.0, 68.0, 80.0, 92.0, 105.0, 130.0, 180.0])
HAIRLINE_MM = np.array([797.0, 797.0, 790.0, 776.0, 754.0, 722.0, 722.0, 700.0, 672.0, 655.0])
IRIS_MM, PUPIL_MM = 5.9, 2.4
EYE_HEIGHT_MM, EYE_X_MM = 728.4, 30.8


def soft(distance: Field, width: float) -> Field:
    """1 well inside (negative distance), 0 well outside, one half on the edge."""
    return np.clip(0.5 - distance / width, 0.0, 1.0)


def face_crop(head: Head, ears: Field) -> NDArray[np.bool_]:
    """Vertices of the face: in front of the ears, above the underside of the jaw, below the hairline; with eyes."""
    x, y, z = head.base.T
    underside = np.interp(z, [62.0, 122.0], [655.0, 615.5])
    front = z > np.interp(y, [640.0, 700.0, 790.0], [72.0, 66.0, 84.0])
    skin = front & (y > underside) & (y < 790.0) & (ears < 0.3) & (np.abs(x) < 78.0)
    return (skin & ~_inside_socket(head) & ~head.mouth) | (head.eye > 0)


def _inside_socket(head: Head) -> NDArray[np.bool_]:
    """The hidden rows behind the lid margins."""
    edges = head.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    count = len(head.base)
    ones = np.ones(len(edges), dtype=np.int32)
    graph = coo_matrix((ones, (edges[:, 0], edges[:, 1])), (count, count)).tocsr()
    graph = graph + graph.T
    margin = np.interp(np.abs(head.base[:, 0]), [20.0, 31.0, 44.0], [131.0, 136.3, 130.3])
    behind = (head.base[:, 2] < margin) & (head.eye == 0)
    hidden = np.zeros(count, dtype=bool)
    for loop in head.lid_loops:
        behind &= ~np.isin(np.arange(count), loop)
        reached = np.isin(np.arange(count), loop)
        for _ in range(3):
            reached |= ((graph @ reached.astype(np.int32)) > 0) & behind
        hidden |= reached & behind
    return hidden


def paint_regions(head: Head, data: Path) -> dict[str, Field]:
    """Every mask by name, 0..1 over the head's vertices."""
    lips, lids, ears = (_painted(head, data, name) for name in ("lips", "eyelids", "ears"))
    skin = head.eye == 0
    lips = np.maximum(lips, soft(cKDTree(head.base[head.mouth_loop]).query(head.base)[0] - 4.0, 4.0))
    masks = {"lips": lips, "eyelids": lids, "ears": ears, **_hair(head, ears, lips), **_eyes(head), **_places(head)}
    masks["lashes"] = _lashes(head)
    masks["occlusion"] = occlusion(head)
    masks["mouth"] = head.mouth.astype(np.float64)
    masks["skin_photometric"] = np.clip(masks["cheeks"] + masks["nose"] + masks["forehead"], 0, 1)
    for name in masks.keys() - {"iris", "pupil", "sclera"}:
        masks[name] = np.where(skin, masks[name], 0.0)
    return masks


def _painted(head: Head, data: Path, name: str) -> Field:
    """A mask painted in texture space, read at the vertices."""
    image = np.asarray(Image.open(data / f"mpfb2/textures/mpfb_{name}.jpg"), dtype=np.float64) / 255
    height, width = image.shape
    rows, columns = (1 - head.texture[:, 1]) * (height - 1), head.texture[:, 0] * (width - 1)
    return np.clip((map_coordinates(image, [rows, columns], order=1, mode="nearest") - 0.05) / 0.9, 0, 1)


def _hair(head: Head, ears: Field, lips: Field) -> dict[str, Field]:
    """Brows, scalp and beard as ramps; `brow_height` and `brow_along` are coordinates around the brow's arc."""
    x, y, z = head.base.T
    arc = np.stack([np.interp(np.linspace(0, 5, 60), range(6), BROW_ARC[:, axis]) for axis in (0, 1)], axis=1)
    distance, nearest = cKDTree(arc).query(np.stack([np.abs(x), y], axis=1))
    thickness = np.interp(nearest / 59, [0, 0.15, 0.5, 1], [2.6, 3.2, 2.7, 0.9])
    brows = np.where(z > 100, soft(distance - thickness, 9.0), 0.0)
    level = np.interp(np.abs(x), BROW_ARC[:, 0], BROW_ARC[:, 1])
    level += np.minimum(np.abs(x) - BROW_ARC[-1, 0], 8.0).clip(min=0) * -1.2
    brow_height = soft(level - y, 40.0)
    brow_along = np.where(z > 90, np.clip((np.abs(x) - 4.0) / 50.0, 0, 1), 1.0)
    azimuth = np.degrees(np.arctan2(np.abs(x), z - 40.0))
    scalp = soft(np.interp(azimuth, HAIRLINE_DEG, HAIRLINE_MM) - y, 40.0) * (1 - ears)
    upper = np.interp(np.abs(x), [0.0, 14.0, 30.0, 52.0, 70.0], [681.0, 677.0, 662.0, 672.0, 712.0])
    beard = np.minimum(soft(y - upper, 22.0), soft(52.0 - z, 24.0)) * soft(611.0 - y, 16.0)
    fields = {"brows": brows, "brow_height": brow_height, "brow_along": brow_along}
    return fields | {"scalp": scalp, "beard": beard * (1 - lips) * (1 - ears)}


def _eyes(head: Head) -> dict[str, Field]:
    """Iris and pupil as ramps around the pole of each eyeball, and the white."""
    radius = np.full(len(head.base), 99.0)
    for label in (1, 2):
        ball = head.base[head.eye == label]
        centre = (ball.min(axis=0) + ball.max(axis=0)) / 2
        radius[head.eye == label] = np.linalg.norm((ball - centre)[:, :2], axis=1)
    iris = np.where(head.eye > 0, soft(radius - IRIS_MM, 8.0), 0.0)
    pupil = np.where(head.eye > 0, soft(radius - PUPIL_MM, 6.0), 0.0)
    white = np.where(head.eye > 0, soft(IRIS_MM - radius, 1.5), 0.0)
    return {"iris": iris, "pupil": pupil, "sclera": white}


def _places(head: Head) -> dict[str, Field]:
    """Nose, cheeks, forehead and neck."""
    x, y, z = head.base.T
    flank = np.interp(y, [680.0, 690.0, 705.0, 725.0, 735.0], [17.0, 19.0, 13.0, 8.0, 7.0])
    nose = np.minimum(soft(np.abs(x) - flank, 8.0), np.minimum(soft(678.0 - y, 6.0), soft(y - 732.0, 8.0)))
    cheek = soft((np.hypot((np.abs(x) - 42.0) / 22.0, (y - 694.0) / 24.0) - 1) * 22.0, 16.0) * (1 - nose)
    forehead = np.minimum(soft(756.0 - y, 8.0), soft(y - 788.0, 10.0)) * soft(np.abs(x) - 52.0, 16.0)
    underside = np.interp(z, [40.0, 62.0, 122.0], [650.0, 650.0, 615.0])
    neck = soft(y - underside, 10.0)
    ahead = soft(70.0 - z, 16.0)
    return {"nose": nose * ahead, "cheeks": cheek * ahead, "forehead": forehead * ahead, "neck": neck}


def _lashes(head: Head) -> Field:
    """Dark line along the lid margins, heavier above."""
    points = head.base[np.concatenate(head.lid_loops)]
    distance, nearest = cKDTree(points).query(head.base)
    above = points[nearest, 1] > EYE_HEIGHT_MM - 1.0
    return np.where(above, soft(distance - 1.6, 2.4), 0.55 * soft(distance - 0.9, 1.8))


def occlusion(head: Head) -> Field:
    """How much a place lies in a hollow: mean rise of its surroundings (within 9 mm) above its tangent plane."""
    normals = vertex_normals(head.base, head.triangles)
    tree = cKDTree(head.base)
    rise = np.zeros(len(head.base))
    for index, around in enumerate(tree.query_ball_point(head.base, 9.0)):
        offset = head.base[around] - head.base[index]
        length = np.linalg.norm(offset, axis=1)
        rise[index] = np.mean(np.maximum(offset @ normals[index], 0) / np.maximum(length, 1e-6))
    return np.clip((rise - 0.12) / 0.5, 0, 1)
