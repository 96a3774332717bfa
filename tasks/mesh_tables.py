"""The raw 468-point mesh of every photo as a table: what coefficients are measured against on real photos."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from prefect import task

from models.classifiers.source import Source
from models.geometry.alignment import procrustes
from models.morphable.builtin import load_face
from models.morphable.landmark_calibration import load_landmark_calibration
from models.types import Failure
from tasks import policies
from tasks.align import Crops
from tasks.build_crops import read_crop_rows, read_failures
from tasks.coefficient_tables import TABLE, StoredTable
from tasks.faces import find_landmarks
from tasks.parquet import write_vectors
from tasks.stages import make
from tasks.wiring import open_workspace

MESH = "mesh"
SOURCE = Source("points468", "face landmarks")
TO_CAMERA_FRAME = np.array([1.0, -1.0, -1.0])
"""Pixels go down and the network's depth away from the camera."""


@task(name="tabulate meshes", **policies.STAGE)
def tabulate_meshes(crops: Crops, root: Path) -> StoredTable:
    """Detected points moved, turned and scaled onto the mean face's: neither pose nor place tells people apart."""
    workspace = open_workspace()
    shards = find_landmarks(crops, root)

    def build(folder: Path, _: Path) -> None:
        rows: list[tuple[str, str]] = []
        meshes: list[ndarray] = []
        for crop, shard in zip(crops.shards, shards, strict=True):
            found = np.load(shard.path / "landmarks.npy", allow_pickle=False)
            for row, points in zip(read_crop_rows(crop.path), found, strict=True):
                if np.isfinite(points).all():
                    rows.append((row.path, row.subject))
                    meshes.append(upright(points))
        write_vectors(folder / TABLE, rows, SOURCE, MESH, np.stack(meshes).reshape(len(meshes), -1))

    code = ["tasks.mesh_tables", "tasks.parquet"]
    made = make(workspace, "mesh-table", [*crops.shards, *shards], {}, code, build)
    failures: list[Failure] = [*crops.failures(), *(each for shard in shards for each in read_failures(shard.path))]
    return StoredTable(made, SOURCE, [*shards, made], failures)


def upright(points: Float32[ndarray, "468 3"]) -> Float32[ndarray, "468 3"]:
    """Detected points (pixel frame) laid onto the mean face's by a similarity: camera frame, mm."""
    template = load_face().template[load_landmark_calibration().vertices]
    moved = points.astype(np.float64) * TO_CAMERA_FRAME
    return procrustes(moved, template.astype(np.float64), with_scale=True).apply(moved).astype(np.float32)
