"""A scan as the body of a request to a served recogniser: cleaned and encoded as the champion was trained."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.files import atomic_write_text, canonical_json
from infra.profiles import NormalsConfig
from models.errors import ScanError
from models.export.embedding import graph_inputs
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import Cleaning
from models.geometry.range_image import Grid
from models.geometry.template import template_from
from models.morphable.builtin import load_face
from models.readers.scans import read_scan
from models.reconstructors.encoding import face_footprint, normal_bytes
from models.types import Scan
from tasks.champion import open_champion

DIGITS = 7
"""Enough to give every byte's value back."""


def write_request(scan: Path, model: str, out: Path) -> None:
    """`request.json` for the served champion of `model`; raises as `open_champion` and `read_scan`."""
    atomic_write_text(
        out / "request.json", canonical_json(request_of(champion_normals(scan, open_champion(model).normals)))
    )


def request_of(normals: UInt8[ndarray, "3 h w"]) -> dict[str, Any]:
    """Nx, Ny and Nz as the inputs of one row."""
    inputs = graph_inputs(normals[None])
    return {"inputs": {name: np.round(values.astype(float), DIGITS).tolist() for name, values in inputs.items()}}


def champion_normals(path: Path, config: NormalsConfig) -> UInt8[ndarray, "3 h w"]:
    """A scan's normal component images on the grid, and behind the mask, that a model was trained with."""
    face, grid = load_face(), Grid(config.pixels, config.pixels, config.mm_per_pixel)
    template, cleaning = template_from(Scan(face.template, face.triangles)), Cleaning(**config.cleaning.model_dump())
    try:
        image, _ = canonical_range_image(
            read_scan(path), template, grid, radius_mm=config.crop_radius_mm, cleaning=cleaning
        )
    except ScanError as error:
        raise ScanError(f"{path}: {error}") from None
    return normal_bytes(image, face_footprint(face, grid, config.crop_radius_mm))
