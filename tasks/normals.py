"""Normal component images of reconstructed photos (for training) and of scans (for testing)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from prefect import task

from infra.files import sha256_file
from infra.profiles import NormalsConfig
from infra.store import Artefact
from models.readers.records import ScanRecord
from models.types import Failure
from tasks import policies
from tasks.build_normals import build_photo_normals, build_scan_normals
from tasks.faces import Faces
from tasks.files import read_table
from tasks.stages import make_all
from tasks.wiring import open_workspace

SCANS_PER_SHARD = 125
CODE = ["tasks.build_normals"]


class NormalShards(NamedTuple):
    """Shards of `normals.npy` (n, 3, h, w); of each image its source and, for photos, whose face it shows."""

    shards: list[Artefact]
    sources: list[str]
    subjects: list[str]
    failures: list[Failure]

    @property
    def paths(self) -> list[Path]:
        """The image files."""
        return [shard.path / "normals.npy" for shard in self.shards]


@task(name="encode faces", **policies.STAGE)
def encode_photos(faces: Faces, people: Artefact, config: NormalsConfig, seed: int) -> NormalShards:
    """Every 3D face to normal component images, varied as cleaned scans are; `people` is what `pool_people` made."""
    workspace = open_workspace()
    variation = {
        "rotation_deg": config.rotation_spread_deg,
        "shift_mm": config.shift_spread_mm,
        "size": config.size_spread,
        "noise_mm": config.noise_mm,
    }
    low, high = config.expression_strength
    common = {
        "grid": _grid(config),
        "crop_radius_mm": config.crop_radius_mm,
        "variants": config.variants_per_photo,
        "variation": variation,
        "pooling": config.identity_pooling,
        "wearing": {"transfer": config.expression_transfer, "weakest": low, "strongest": high},
        "name": faces.variant.name,
    }
    units, arguments = [], []
    for number, shard in enumerate(faces.shards):
        units.append(([shard, people, *faces.variant.inputs()], {**common, "seed": seed + number}))
        own = {"faces": shard.path, "people": people.path, "owner": people.path / f"{number}.npy"}
        network = {"network": faces.variant.folder, "device": workspace.settings.device}
        arguments.append({**own, **network, **faces.where(number)})
    title = f"3D faces to normals ({faces.variant.name})"
    shards = make_all(workspace, "photo-normals", units, CODE, build_photo_normals, title, arguments)
    rows = [row for row in faces.rows() for _ in range(config.variants_per_photo)]
    failures = [*faces.crops.failures(), *faces.failures()]
    return NormalShards(shards, [path for path, _ in rows], [who for _, who in rows], failures)


@task(name="clean and encode scans", **policies.STAGE)
def encode_scans(root: Path, records: list[ScanRecord], config: NormalsConfig) -> NormalShards:
    """Every scan cleaned, brought upright and encoded; failures are kept as rows."""
    workspace = open_workspace()
    common = {
        "grid": _grid(config),
        "crop_radius_mm": config.crop_radius_mm,
        "cleaning": config.cleaning.model_dump(),
    }
    units, arguments = [], []
    for start in range(0, len(records), SCANS_PER_SHARD):
        paths = [str(record.path) for record in records[start : start + SCANS_PER_SHARD]]
        units.append(([sha256_file(root / path) for path in paths], common))
        arguments.append({"root": root, "paths": paths})
    shards = make_all(workspace, "scan-normals", units, CODE, build_scan_normals, "clean and encode scans", arguments)
    sources = [row[0] for shard in shards for row in read_table(shard.path / "rows.csv")]
    failures = [Failure(*row) for shard in shards for row in read_table(shard.path / "failures.csv")]
    return NormalShards(shards, sources, [], failures)


def load_normals(given: NormalShards) -> np.ndarray:
    """All images of a test set in memory (a benchmark of 2,500 scans at 112 pixels takes 94 MB)."""
    return np.concatenate([np.load(path, allow_pickle=False) for path in given.paths])


def some_images(given: NormalShards, count: int) -> UInt8[ndarray, "n 3 h w"]:
    """At most `count` images, spread evenly over the shards and within each."""
    each = -(-count // max(1, len(given.paths)))
    blocks = [np.load(path, mmap_mode="r", allow_pickle=False) for path in given.paths]
    chosen = [block[np.unique(np.linspace(0, len(block) - 1, each).astype(int))] for block in blocks if len(block)]
    return np.concatenate(chosen)[:count]


def _grid(config: NormalsConfig) -> list[float]:
    return [config.pixels, config.pixels, config.mm_per_pixel]
