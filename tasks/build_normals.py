"""Fills one shard of normal component images, from photos or from scans; runs in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray

from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.range_image import Grid
from models.geometry.template import template_from
from models.morphable.builtin import load_face
from models.networks.expnet import POSE_NUMBERS
from models.readers.scans import read_scan
from models.reconstructors.encoding import Variation, face_footprint, normal_bytes, training_image
from models.reconstructors.expnet import meshes
from models.reconstructors.pooling import (
    Subjects,
    Wearing,
    pool_identities,
    restored_spread,
    subject_means,
    worn_expressions,
)
from models.reconstructors.stored import load_expnet
from models.types import Coefficients, Failure, Scan
from tasks.files import save_array, write_table

EXPRESSIONS_KEPT = 20_000
"""About how many expressions faces can borrow, however many photos there are."""


def build_coefficients(folder: Path, crops: Path, network: Path) -> None:
    """`coefficients.npy` (n, identity + expression) of every crop of a shard."""
    expnet = load_expnet(network)
    found = expnet.coefficients(np.load(crops, mmap_mode="r", allow_pickle=False), torch.device("cpu"))
    vectors = [np.concatenate([face.identity, face.expression]) for face in found]
    save_array(
        folder / "coefficients.npy",
        np.array(vectors, dtype=np.float32).reshape(len(found), expnet.layout.size - POSE_NUMBERS),
    )


def build_photo_normals(
    folder: Path,
    grid: Sequence[Any],
    crop_radius_mm: float,
    variants: int,
    variation: dict[str, float],
    pooling: float,
    wearing: dict[str, float],
    seed: int,
    coefficients: Path,
    people: Path,
    owner: Path,
) -> None:
    """`variants` images of each face of a shard, one after the other; `people` is what `build_people` wrote."""
    face, lattice = load_face(), Grid(*grid)
    footprint = face_footprint(face, lattice, crop_radius_mm)
    rng = np.random.default_rng(seed)
    own = np.repeat(np.load(coefficients, allow_pickle=False), variants, axis=0)
    subjects = Subjects(*(np.load(people / f"{name}.npy", allow_pickle=False) for name in Subjects._fields))
    others = np.load(people / "expressions.npy", allow_pickle=False)
    count = subjects.means.shape[1]
    whose = np.repeat(np.load(owner, allow_pickle=False), variants)
    identities = pool_identities(own[:, :count], whose, subjects, pooling)
    expressions = worn_expressions(own[:, count:], others, Wearing(**wearing), rng)
    faces = [Coefficients(face.space, who, how) for who, how in zip(identities, expressions, strict=True)]
    images = [
        training_image(vertices, face, lattice, footprint, Variation(**variation), rng)
        for vertices in meshes(face, faces)
    ]
    save_array(folder / "normals.npy", np.array(images, dtype=np.uint8).reshape(-1, 3, lattice.height, lattice.width))


def build_people(
    folder: Path, identity: int, spread: float, seed: int, coefficients: Sequence[Path], owners: Sequence[ndarray]
) -> None:
    """`means.npy`, `restored.npy` by subject, `<block>.npy` the subjects of each block, some of all expressions."""
    count = 1 + max((int(owner.max()) for owner in owners if len(owner)), default=-1)
    blocks = (np.load(path, mmap_mode="r", allow_pickle=False)[:, :identity] for path in coefficients)
    means = subject_means(blocks, owners, count)
    save_array(folder / "means.npy", means)
    save_array(folder / "restored.npy", restored_spread(means, spread))
    for number, owner in enumerate(owners):
        save_array(folder / f"{number}.npy", owner)
    share = EXPRESSIONS_KEPT / max(1, sum(map(len, owners)))
    rng = np.random.default_rng(seed)
    loaded = (np.load(path, mmap_mode="r", allow_pickle=False)[:, identity:] for path in coefficients)
    kept = [block[rng.random(len(block)) < share] for block in loaded]
    save_array(folder / "expressions.npy", np.concatenate(kept) if kept else np.zeros((0, 0), np.float32))


def build_scan_normals(
    folder: Path, grid: Sequence[Any], crop_radius_mm: float, root: Path, paths: Sequence[str]
) -> None:
    """Clean and encode scans; what cannot be encoded is listed with its reason."""
    face, lattice = load_face(), Grid(*grid)
    template = template_from(Scan(face.template, face.triangles))
    footprint = face_footprint(face, lattice, crop_radius_mm)
    images, kept, failed = [], [], []
    for path in paths:
        try:
            image, report = canonical_range_image(read_scan(root / path), template, lattice, radius_mm=crop_radius_mm)
            images.append(normal_bytes(image, footprint))
            pose = report.pose
            kept.append(
                (
                    path,
                    f"{report.icp_rmse_mm:.3f}",
                    f"{pose.pitch_deg:.2f}",
                    f"{pose.yaw_deg:.2f}",
                    f"{pose.roll_deg:.2f}",
                )
            )
        except ScanError as error:
            failed.append(Failure(path, str(error).replace(f"{root}/", "")))
    save_array(folder / "normals.npy", np.array(images, dtype=np.uint8).reshape(-1, 3, lattice.height, lattice.width))
    write_table(folder / "rows.csv", ("path", "icp_rmse_mm", "pitch_deg", "yaw_deg", "roll_deg"), kept)
    write_table(folder / "failures.csv", Failure._fields, failed)
