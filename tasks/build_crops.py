"""Fills one shard of aligned crops; runs in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.errors import PhotoError
from models.photos.alignment import AlignedPhoto, align_photo
from models.photos.analysis import FaceNets, analyse, load_face_nets
from models.photos.decoding import read_photo
from models.types import Failure, Photo
from tasks.files import read_table, save_array, write_table


class CropRow(NamedTuple):
    """One crop: the photo it shows and whose face it is."""

    path: str
    subject: str


def build_crops(
    folder: Path, recogniser_px: int, reconstructor_px: int, root: Path, rows: Sequence[dict[str, Any]], assets: Path
) -> None:
    """Crops of both sizes, what became of every photo, and the map from the larger crop to its photo."""
    needs_nets = any(row["points"] is None and row["failure"] is None for row in rows)
    nets = load_face_nets(assets) if needs_nets else None
    kept: list[CropRow] = []
    failed: list[Failure] = []
    small: list[ndarray] = []
    large: list[AlignedPhoto] = []
    for row in rows:
        try:
            photo = _readable(root, row)
            points = _points(photo, row, nets)
            small.append(align_photo(photo, points, recogniser_px).pixels)
            large.append(align_photo(photo, points, reconstructor_px))
            kept.append(CropRow(row["path"], str(row["subject"])))
        except PhotoError as error:
            failed.append(Failure(row["path"], str(error).replace(f"{root}/", "")))
    _save(folder / "recogniser.npy", small, recogniser_px)
    _save(folder / "reconstructor.npy", [crop.pixels for crop in large], reconstructor_px)
    save_array(folder / "to_photo.npy", np.array([crop.to_photo for crop in large], dtype=np.float64).reshape(-1, 2, 3))
    write_table(folder / "rows.csv", CropRow._fields, kept)
    write_table(folder / "failures.csv", Failure._fields, failed)


def read_crop_rows(folder: Path) -> list[CropRow]:
    """The crops of a shard."""
    return [CropRow(*row) for row in read_table(folder / "rows.csv")]


def read_failures(folder: Path) -> list[Failure]:
    """The inputs of a shard that gave nothing."""
    return [Failure(*row) for row in read_table(folder / "failures.csv")]


def _readable(root: Path, row: dict[str, Any]) -> Photo:
    if row["failure"] is not None:
        raise PhotoError(row["failure"])
    return read_photo(root / row["path"])


def _points(photo: Photo, row: dict[str, Any], nets: FaceNets | None) -> Float32[ndarray, "5 2"]:
    if row["points"] is not None:
        return np.array(row["points"], dtype=np.float32)
    if nets is None:
        raise PhotoError(f"{photo.path}: no face points, and no detector was loaded")
    return analyse(photo, nets.detector, nets.landmarks).points


def _save(path: Path, crops: Sequence[ndarray], size: int) -> None:
    stacked = np.array(crops, dtype=np.uint8).reshape(-1, size, size, 3)
    save_array(path, np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))
