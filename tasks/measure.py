"""How good and how costly a reconstructor is: errors against the truth, time and memory a photo."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from prefect import task

from infra.profiles import NormalsConfig
from infra.store import Artefact
from tasks import policies
from tasks.build_crops import read_failures
from tasks.build_errors import COLUMNS, build_errors
from tasks.build_faces import build_cost
from tasks.faces import Faces
from tasks.files import read_json
from tasks.pool import run_apart
from tasks.stages import make, make_all
from tasks.synthesise import Collection
from tasks.variants import Variant
from tasks.wiring import open_workspace


class Quality(NamedTuple):
    """Means over held-out photos: mm by region (after rigid alignment), degrees of the normals, and the photos lost."""

    errors: dict[str, float]
    photos: int
    failures: int
    artefacts: list[Artefact]


class Cost(NamedTuple):
    """Seconds of one photo, from pixels to mesh, on one process; and the most memory that the process took, MB."""

    seconds: float
    peak_mb: float


@task(name="measure reconstructor", **policies.STAGE)
def measure_quality(variant: Variant, held_out: Collection, config: NormalsConfig) -> Quality:
    """Errors on photos of people whom no reconstructor has seen."""
    workspace = open_workspace()
    grid = [config.pixels, config.pixels, config.mm_per_pixel]
    settings = {"name": variant.name, "grid": grid, "crop_radius_mm": config.crop_radius_mm}
    assets = workspace.settings.assets if variant.needs_landmarks else None
    units = [([shard, *variant.inputs()], settings) for shard in held_out.shards]
    arguments = [
        {"network": variant.folder, "device": workspace.settings.device, "shard": shard.path, "assets": assets}
        for shard in held_out.shards
    ]
    title = f"errors ({variant.name})"
    made = make_all(workspace, "face-errors", units, ["tasks.build_errors"], build_errors, title, arguments)
    rows = np.concatenate([np.load(shard.path / "errors.npy", allow_pickle=False) for shard in made])
    known = [bool(np.isfinite(column).any()) for column in rows.T]
    errors = {name: float(np.nanmean(rows[:, place])) for place, name in enumerate(COLUMNS) if known[place]}
    return Quality(errors, len(rows), sum(len(read_failures(shard.path)) for shard in made), made)


@task(name="time reconstructor", **policies.STAGE)
def measure_cost(faces: Faces) -> Cost:
    """On the first shard of photos; measured once for the same weights, since times differ from run to run."""
    workspace = open_workspace()
    variant = faces.variant
    landmarks = faces.landmarks[0].path if faces.landmarks else None
    where = (faces.root, faces.crops.shards[0].path, faces.pixels, landmarks)
    how = (variant.name, variant.folder, workspace.settings.device, *where)

    def build(folder: Path, _: Path) -> None:
        run_apart(workspace.settings.workers, build_cost, folder, *how)

    inputs = [faces.shards[0], *variant.inputs()]
    made = make(workspace, "face-cost", inputs, {"name": variant.name}, ["tasks.build_faces"], build)
    return Cost(**read_json(made.path / "cost.json"))
