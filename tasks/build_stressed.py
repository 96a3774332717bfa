"""Fills one shard of normal component images of scans that were made harder; runs in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy import ndarray

from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import Cleaning
from models.geometry.range_image import Grid
from models.geometry.stress import Stress, stressed
from models.geometry.template import template_from
from models.morphable.builtin import load_face
from models.readers.scans import read_scan
from models.reconstructors.encoding import face_footprint, normal_bytes
from models.types import Failure, Scan
from tasks.files import save_array, write_table


def build_stressed(
    folder: Path,
    grid: Sequence[Any],
    crop_radius_mm: float,
    cleaning: dict[str, Any],
    stress: dict[str, float],
    seed: int,
    root: Path,
    paths: Sequence[str],
) -> None:
    """Stress, clean and encode scans; `rows.csv` lists those that gave an image, `failures.csv` why others did not."""
    face, lattice, how = load_face(), Grid(*grid), Cleaning(**cleaning)
    template = template_from(Scan(face.template, face.triangles))
    footprint = face_footprint(face, lattice, crop_radius_mm)
    images: list[ndarray] = []
    kept: list[tuple[str]] = []
    failed: list[Failure] = []
    for path in paths:
        rng = np.random.default_rng([seed, crc32(path.encode())])
        try:
            scan = stressed(read_scan(root / path), Stress(**stress), rng)
            image, _ = canonical_range_image(scan, template, lattice, radius_mm=crop_radius_mm, cleaning=how)
        except ScanError as error:
            failed.append(Failure(path, str(error).replace(f"{root}/", "")))
            continue
        images.append(normal_bytes(image, footprint))
        kept.append((path,))
    save_array(folder / "normals.npy", np.array(images, dtype=np.uint8).reshape(-1, 3, lattice.height, lattice.width))
    write_table(folder / "rows.csv", ("path",), kept)
    write_table(folder / "failures.csv", Failure._fields, failed)
