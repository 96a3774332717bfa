"""Where on the face a reconstruction is wrong: mesh error by region, in mm."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray

from models.errors import DataError
from models.metrics.mesh_error import mesh_error

WHOLE = "face"
REGION_MASKS = {
    "nose": "nose",
    "eyes": "eyelids",
    "mouth": "lips",
    "cheeks": "cheeks",
    "forehead": "forehead",
    "jaw": "beard",
}
"""Regions of the report, and the soft masks of the built-in face that draw them."""


class RegionalError(NamedTuple):
    """Mean vertex distance (mm) of every face, one number a face and region; `face` is the whole mesh."""

    per_face_mm: dict[str, Float64[ndarray, " faces"]]

    def means_mm(self) -> dict[str, float]:
        """Mean over faces, by region."""
        return {region: float(errors.mean()) for region, errors in self.per_face_mm.items()}


def draw_regions(masks: Mapping[str, Float32[ndarray, " n"]], least: float = 0.5) -> dict[str, Bool[ndarray, " n"]]:
    """The vertices of each region: those whose mask reaches `least`. Raises `DataError` on masks that draw nothing."""
    regions: dict[str, Bool[ndarray, " n"]] = {}
    for region, mask in REGION_MASKS.items():
        if mask not in masks or not (masks[mask] >= least).any():
            raise DataError(f"no vertex of the model belongs to the {region}: it needs a mask {mask!r} up to {least:g}")
        regions[region] = masks[mask] >= least
    return regions


def regional_error(
    pairs: Iterable[tuple[Float32[ndarray, "n 3"], Float32[ndarray, "n 3"]]],
    regions: Mapping[str, Bool[ndarray, " n"]],
    align: bool = True,
) -> RegionalError:
    """Errors of (estimate, truth) pairs of corresponding vertices (mm), streamed; see `mesh_error`.

    With `align` the whole face is moved rigidly onto the truth first, never a region by itself: a displaced nose is an
    error of the nose. Raises `DataError` without faces.
    """
    rows: list[list[float]] = []
    for estimate, truth in pairs:
        distances = mesh_error(estimate, truth, align).per_vertex_mm
        rows.append([float(distances.mean()), *(float(distances[inside].mean()) for inside in regions.values())])
    if not rows:
        raise DataError("no faces to compare: reconstruct some photos whose true surface is known")
    columns = np.array(rows).T
    return RegionalError(dict(zip((WHOLE, *regions), columns, strict=True)))
