"""Derive what detected landmarks mean on the built-in face, and how they err, from rendered people.

Run `trinormal setup`, then `python -m models.reconstructors.build_landmark_calibration --nets $TRINORMAL_HOME/assets
--out models/morphable/assets/landmark_calibration.safetensors --seed 20260101`. It takes about two minutes.
"""

import argparse
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from safetensors.numpy import save

from infra.files import atomic_write_bytes
from models.morphable.builtin import provenance
from models.morphable.landmark_calibration import LandmarkCalibration
from models.photos.analysis import load_face_nets
from models.photos.assets import FACE_NETS
from models.photos.points import landmarks68
from models.reconstructors.building.calibration import describe_errors, in_crop, match_vertices, skin
from models.reconstructors.building.views import Scene, View, draw_views, open_scene

VIEWS = 1500
DENSE_HABITS, SPARSE_HABITS = 60, 40

Record = dict[str, float | int | str]


class Built(NamedTuple):
    """The tensors of the asset, and the record of how they came about."""

    tensors: dict[str, ndarray]
    record: Record


def main() -> None:
    """Build the asset, write it and its provenance beside it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nets", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--views", type=int, default=VIEWS)
    arguments = parser.parse_args()
    built = build(arguments.nets, arguments.seed, arguments.views)
    text = json.dumps(built.record, indent=2, sort_keys=True)
    atomic_write_bytes(arguments.out, save(built.tensors, metadata={"provenance": text}))
    atomic_write_bytes(arguments.out.with_suffix(".json"), f"{text}\n".encode())


def build(nets: Path, seed: int, count: int) -> Built:
    """The asset from `count` views; `nets` is the folder of the two face networks."""
    scene = open_scene()
    views = list(draw_views(scene, load_face_nets(nets), count, seed))
    found = calibrate(scene, views)
    tensors = {"vertices": found.vertices}
    for kind, errors in (("dense", found.dense), ("sparse", found.sparse)):
        tensors |= {f"{kind}_{name}": values.astype(np.float16) for name, values in errors._asdict().items()}
    # safetensors stores the raw buffer: an array in column order would come back scrambled
    whole = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    return Built(whole, _provenance(seed, count) | _figures(found, len(views)))


def calibrate(scene: Scene, views: list[View]) -> LandmarkCalibration:
    """Vertices and errors of both kinds of landmarks."""
    vertices = match_vertices(views, skin(scene.face.triangles, len(scene.face.template)))
    dense = [in_crop(view, view.landmarks[:, :2] - view.projected[vertices]) for view in views]
    marked = scene.face.landmarks68
    sparse = [in_crop(view, landmarks68(view.landmarks) - view.projected[marked]) for view in views]
    return LandmarkCalibration(
        vertices.astype(np.int32),
        describe_errors(np.stack(dense), DENSE_HABITS),
        describe_errors(np.stack(sparse), SPARSE_HABITS),
    )


def _provenance(seed: int, count: int) -> Record:
    here = Path(__file__)
    sources = [here, *sorted((here.parent / "building").glob("*.py"))]
    nets: Record = {f"sha256_{net.name}": net.sha256 for net in FACE_NETS}
    return nets | {
        "source": "the built-in face model rendered, and what the public face networks find in the pictures",
        "face_model_builder_sha256": str(provenance()["builder_sha256"]),
        "builder_sha256": hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest(),
        "built": datetime.now(UTC).strftime("%Y-%m-%d"),
        "licence": "Apache-2.0",
        "unit": "fractions of the side of the aligned crop; vertices of the built-in face, subdivided once",
        "seed": seed,
        "views_drawn": count,
    }


def _figures(found: LandmarkCalibration, views: int) -> Record:
    record: Record = {"views_with_a_face": views}
    for kind, errors in (("dense", found.dense), ("sparse", found.sparse)):
        together = np.sqrt((errors.habits**2).sum(axis=0).mean())
        record[f"{kind}_bias_px_at_224"] = round(224 * float(np.sqrt((errors.bias**2).mean())), 3)
        record[f"{kind}_habits_px_at_224"] = round(224 * float(together), 3)
        record[f"{kind}_deviation_px_at_224"] = round(224 * float(np.sqrt((errors.deviation**2).mean())), 3)
    return record


if __name__ == "__main__":
    main()
