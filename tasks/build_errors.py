"""Fills one shard of reconstruction errors against the truth behind simulated photos; runs in a worker process."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from models.errors import PhotoError
from models.geometry.normals import plane_fit_normals
from models.geometry.range_image import Grid, render_range_image
from models.metrics.mesh_error import normal_error_deg
from models.metrics.regional_error import WHOLE, draw_regions, regional_error
from models.morphable.builtin import load_face
from models.morphable.model import MorphableModel
from models.photos.analysis import analyse, load_face_nets
from models.photos.decoding import read_photo
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.encoding import centred, face_footprint
from models.reconstructors.protocol import FacePhoto, Reconstruction, from_analysis
from models.training.device import DeviceName, pick_device
from models.types import Failure, NormalImages, Photo, Scan
from tasks.build_photos import read_rows
from tasks.files import save_array, write_table

FULL = 160, 72
"""Every identity and expression component of the built-in face: what the photos were made of."""
COLUMNS = (WHOLE, "nose", "eyes", "mouth", "cheeks", "forehead", "jaw", "normals_deg")


class _Truth(NamedTuple):
    model: MorphableModel
    identity: Float32[ndarray, "n k"]
    expression: Float32[ndarray, "n e"]

    def surface(self, number: int) -> Float32[ndarray, "v 3"]:
        return self.model.shape(self.identity[number], self.expression[number])


def build_errors(
    folder: Path,
    name: str,
    network: Path | None,
    device: DeviceName,
    grid: Sequence[Any],
    crop_radius_mm: float,
    shard: Path,
    assets: Path | None,
) -> None:
    """`errors.npy`: a row a face, columns as `COLUMNS` (mm by region after rigid alignment, degrees); `failures.csv`.

    With `assets` landmarks are detected on every photo. A mesh of another topology has errors of its normals only.
    """
    with np.load(shard / "truth.npz", allow_pickle=False) as stored:
        truth = _Truth(load_face(*FULL), stored["identity"], stored["expression"])
        points = stored["five_points"].astype(np.float32)
    lattice = Grid(*grid)
    footprint = face_footprint(load_face(), lattice, crop_radius_mm)
    regions = draw_regions(truth.model.masks)
    rows: list[list[float]] = []
    failed: list[Failure] = []
    photos = _photos(shard, points, assets, failed)
    reconstructor = open_reconstructor(name, network)
    places = {row.path: number for number, row in enumerate(read_rows(shard / "rows.csv"))}
    for outcome in reconstructor.reconstruct(photos, pick_device(device)):
        if not isinstance(outcome, Reconstruction):
            failed.append(outcome)
            continue
        true = truth.surface(places[outcome.path])
        angle = _angle(outcome, true, truth.model, lattice, footprint)
        by_region = [np.nan] * (len(COLUMNS) - 1)
        if outcome.vertices.shape == true.shape:
            errors = regional_error([(outcome.vertices, true)], regions).means_mm()
            by_region = [errors[column] for column in COLUMNS[:-1]]
        rows.append([*by_region, angle])
    save_array(folder / "errors.npy", np.array(rows, dtype=np.float64).reshape(-1, len(COLUMNS)))
    write_table(folder / "failures.csv", Failure._fields, failed)


def _photos(
    shard: Path, points: Float32[ndarray, "n 5 2"], assets: Path | None, failed: list[Failure]
) -> Iterator[FacePhoto]:
    nets = None if assets is None else load_face_nets(assets)
    for number, row in enumerate(read_rows(shard / "rows.csv")):
        photo = read_photo(shard / row.path)
        if nets is None:
            yield FacePhoto(row.path, str(row.subject), photo.pixels, points[number])
            continue
        try:
            face = analyse(Photo(photo.pixels, row.path), nets.detector, nets.landmarks)
            yield from_analysis(photo, face, row.path, str(row.subject))
        except PhotoError as error:
            failed.append(Failure(row.path, str(error)))


def _angle(
    made: Reconstruction, true: Float32[ndarray, "v 3"], model: MorphableModel, grid: Grid, footprint: ndarray
) -> float:
    """Mean angle between the two faces' normals where both are seen, degrees."""
    same = made.vertices.shape == true.shape
    vertices = centred(made.vertices, model.nose_tip) if same else made.vertices
    first = _normals(Scan(vertices, made.triangles), grid)
    second = _normals(Scan(centred(true, model.nose_tip), model.triangles), grid)
    both = first.valid & second.valid & footprint
    angles: Float64[ndarray, " n"] = (
        normal_error_deg(first.normals, second.normals, both) if both.any() else np.array([])
    )
    return float(angles.mean()) if len(angles) else float("nan")


def _normals(scan: Scan, grid: Grid) -> NormalImages:
    return plane_fit_normals(render_range_image(scan, grid))
