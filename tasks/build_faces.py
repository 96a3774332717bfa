"""Fills one shard of reconstructions by any reconstructor; runs in a worker process."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from infra.resources import PeakMemory
from models.photos.alignment import template_points
from models.photos.decoding import read_photo
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.protocol import FacePhoto, Reconstruction
from models.training.device import DeviceName, pick_device
from models.types import Coefficients, Failure
from tasks.build_crops import read_crop_rows
from tasks.files import save_array, write_json, write_table

PARTS: tuple[str, ...] = ("identity", "expression", "texture", "light", "pose")


def build_coefficients(
    folder: Path,
    name: str,
    network: Path | None,
    device: DeviceName,
    root: Path,
    crops: Path,
    pixels: int,
    landmarks: Path | None,
) -> None:
    """Coefficients of every face of a shard of crops, each from its original photo.

    A file for each of `PARTS` (of no columns for what the reconstructor does not give), `rows.npy` (which crops gave a
    face), `failures.csv`.
    """
    reconstructor = open_reconstructor(name, network)
    photos = face_photos(root, crops, pixels, landmarks)
    columns: dict[str, list[ndarray]] = {part: [] for part in PARTS}
    rows: list[int] = []
    failed: list[Failure] = []
    for number, outcome in enumerate(reconstructor.reconstruct(photos, pick_device(device))):
        if not isinstance(outcome, Reconstruction):
            failed.append(Failure(outcome.path, outcome.reason.replace(f"{root}/", "")))
            continue
        rows.append(number)
        for part, values in as_columns(outcome.coefficients).items():
            columns[part].append(values)
    for part, values in columns.items():
        save_array(folder / f"{part}.npy", _stacked(values))
    save_array(folder / "rows.npy", np.array(rows, dtype=np.int64))
    write_json(folder / "space.json", {"space": reconstructor.space})
    write_table(folder / "failures.csv", Failure._fields, failed)


def as_columns(known: Coefficients | None) -> dict[str, Float32[ndarray, " n"]]:
    """The numbers of one face by `PARTS`; those it does not have are of no length. Pose: degrees, then mm."""
    none = np.zeros(0, np.float32)
    if known is None:
        return dict.fromkeys(PARTS, none)
    pose = none if known.pose is None else np.array([*known.pose[:3], *known.pose.translation_mm], np.float32)
    texture = none if known.texture is None else known.texture
    light = none if known.light is None else known.light.ravel()
    values = (known.identity, known.expression, texture, light, pose)
    return dict(zip(PARTS, values, strict=True))


def face_photos(root: Path, crops: Path, pixels: int, landmarks: Path | None) -> Iterator[FacePhoto]:
    """The original photos of a shard of crops `pixels` wide, with the five points they were aligned by."""
    to_photo = np.load(crops / "to_photo.npy", allow_pickle=False)
    known = None if landmarks is None else np.load(landmarks / "landmarks.npy", mmap_mode="r", allow_pickle=False)
    corners = np.column_stack([template_points(pixels), np.ones(5)])
    for number, row in enumerate(read_crop_rows(crops)):
        points = (corners @ to_photo[number].T).astype(np.float32)
        dense = None if known is None or np.isnan(known[number]).any() else np.array(known[number])
        yield FacePhoto(row.path, row.subject, read_photo(root / row.path).pixels, points, dense)


def build_cost(
    folder: Path,
    name: str,
    network: Path | None,
    device: DeviceName,
    root: Path,
    crops: Path,
    pixels: int,
    landmarks: Path | None,
) -> None:
    """`cost.json`: seconds of one photo, from its pixels to a mesh, and the most memory (MB) that this process took.

    Over the photos of a shard, 64 at most; the first one, which compiles kernels and fills caches, does not count.
    """
    photos = list(islice(face_photos(root, crops, pixels, landmarks), 65))
    chosen = pick_device(device)
    with PeakMemory(interval_s=0.05) as memory:
        reconstructor = open_reconstructor(name, network)
        list(reconstructor.reconstruct(photos[:1], chosen))
        start = time.perf_counter()
        done = sum(1 for _ in reconstructor.reconstruct(photos[1:], chosen))
        seconds = (time.perf_counter() - start) / max(done, 1)
    write_json(folder / "cost.json", {"seconds": seconds, "peak_mb": memory.peak_mb})


def _stacked(rows: list[ndarray]) -> Float32[ndarray, "n k"]:
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, 0), np.float32)
