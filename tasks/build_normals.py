"""Fills one shard of normal component images, from photos or from scans; runs in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import REPORT_COLUMNS, Cleaning, CleaningReport
from models.geometry.range_image import Grid
from models.geometry.template import template_from
from models.morphable.builtin import load_face
from models.readers.scans import read_scan
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.encoding import Variation, centred, face_footprint, normal_bytes, training_image
from models.reconstructors.pooling import (
    Subjects,
    Wearing,
    pool_identities,
    restored_spread,
    subject_means,
    worn_expressions,
)
from models.reconstructors.protocol import Decoder, Reconstruction
from models.training.device import DeviceName, pick_device
from models.types import Coefficients, Failure, Scan
from tasks.build_faces import face_photos
from tasks.files import read_json, save_array, write_table

EXPRESSIONS_KEPT = 20_000
"""About how many expressions faces can borrow, however many photos there are."""


def build_photo_normals(
    folder: Path,
    grid: Sequence[Any],
    crop_radius_mm: float,
    variants: int,
    variation: dict[str, float],
    pooling: float,
    wearing: dict[str, float],
    seed: int,
    name: str,
    device: DeviceName,
    network: Path | None,
    faces: Path,
    people: Path,
    owner: Path,
    root: Path,
    crops: Path,
    pixels: int,
) -> None:
    """`variants` images of each face of a shard, one after the other; `people` is what `build_people` wrote.

    Meshes without coefficients are taken as they are: nothing can be pooled, and no expression borrowed.
    """
    template, lattice = load_face(), Grid(*grid)
    footprint = face_footprint(template, lattice, crop_radius_mm)
    rng = np.random.default_rng(seed)
    reconstructor = open_reconstructor(name, network)
    if isinstance(reconstructor, Decoder):
        mixed = _mixed(faces, people, owner, variants, pooling, Wearing(**wearing), rng)
        decoded = reconstructor.decode(mixed, pick_device(device))
        surfaces = (Scan(centred(vertices, template.nose_tip), template.triangles) for vertices in decoded)
    else:
        outcomes = reconstructor.reconstruct(face_photos(root, crops, pixels, None), pick_device(device))
        meshes = (outcome.scan() for outcome in outcomes if isinstance(outcome, Reconstruction))
        surfaces = (mesh for mesh in meshes for _ in range(variants))
    images = [training_image(each, lattice, footprint, Variation(**variation), rng) for each in surfaces]
    save_array(folder / "normals.npy", np.array(images, dtype=np.uint8).reshape(-1, 3, lattice.height, lattice.width))


def _mixed(
    faces: Path, people: Path, owner: Path, variants: int, pooling: float, wearing: Wearing, rng: np.random.Generator
) -> list[Coefficients]:
    """The coefficients to make images of, `variants` of each face."""
    identity, expression = (
        np.repeat(np.load(faces / f"{part}.npy", allow_pickle=False), variants, axis=0)
        for part in ("identity", "expression")
    )
    subjects = Subjects(*(np.load(people / f"{part}.npy", allow_pickle=False) for part in Subjects._fields))
    others = np.load(people / "expressions.npy", allow_pickle=False)
    whose = np.repeat(np.load(owner, allow_pickle=False), variants)
    identities = pool_identities(identity, whose, subjects, pooling)
    expressions = worn_expressions(expression, others, wearing, rng)
    space = read_json(faces / "space.json")["space"]
    return [Coefficients(space, who, how) for who, how in zip(identities, expressions, strict=True)]


def build_people(folder: Path, spread: float, seed: int, faces: Sequence[Path], owners: Sequence[ndarray]) -> None:
    """`means.npy`, `restored.npy` by subject, `<block>.npy` the subjects of each block, some of all expressions."""
    count = 1 + max((int(owner.max()) for owner in owners if len(owner)), default=-1)
    blocks = (np.load(path / "identity.npy", mmap_mode="r", allow_pickle=False) for path in faces)
    means = subject_means(blocks, owners, count)
    save_array(folder / "means.npy", means)
    save_array(folder / "restored.npy", restored_spread(means, spread))
    for number, owner in enumerate(owners):
        save_array(folder / f"{number}.npy", owner)
    share = EXPRESSIONS_KEPT / max(1, sum(map(len, owners)))
    rng = np.random.default_rng(seed)
    loaded = (np.load(path / "expression.npy", mmap_mode="r", allow_pickle=False) for path in faces)
    kept = [block[rng.random(len(block)) < share] for block in loaded]
    save_array(folder / "expressions.npy", np.concatenate(kept) if kept else np.zeros((0, 0), np.float32))


def build_scan_normals(
    folder: Path, grid: Sequence[Any], crop_radius_mm: float, cleaning: dict[str, Any], root: Path, paths: Sequence[str]
) -> None:
    """Clean and encode scans; `rows.csv` says what cleaning did to each, `failures.csv` why some gave nothing."""
    face, lattice, how = load_face(), Grid(*grid), Cleaning(**cleaning)
    template = template_from(Scan(face.template, face.triangles))
    footprint = face_footprint(face, lattice, crop_radius_mm)
    images: list[ndarray] = []
    kept: list[tuple[str, CleaningReport]] = []
    failed: list[Failure] = []
    for path in paths:
        try:
            scan = read_scan(root / path)
            image, report = canonical_range_image(scan, template, lattice, radius_mm=crop_radius_mm, cleaning=how)
            images.append(normal_bytes(image, footprint))
            kept.append((path, report))
        except ScanError as error:
            failed.append(Failure(path, str(error).replace(f"{root}/", "")))
    save_array(folder / "normals.npy", np.array(images, dtype=np.uint8).reshape(-1, 3, lattice.height, lattice.width))
    write_table(folder / "rows.csv", ("path", *REPORT_COLUMNS), [(path, *report.as_row()) for path, report in kept])
    write_table(folder / "failures.csv", Failure._fields, failed)
