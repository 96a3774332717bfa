"""Normal component images of reconstructed photos (for training) and of scans (for testing)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from prefect import task

from infra.files import sha256_bytes, sha256_file
from infra.profiles import NormalsConfig
from infra.store import Artefact
from models.networks.expnet import CoefficientLayout
from models.readers.records import ScanRecord
from models.types import Failure
from tasks import policies
from tasks.align import Crops
from tasks.build_normals import build_coefficients, build_people, build_photo_normals, build_scan_normals
from tasks.files import read_table
from tasks.reconstructor import TrainedExpNet
from tasks.stages import make, make_all
from tasks.wiring import Workspace, open_workspace

SCANS_PER_SHARD = 125
CODE = ["tasks.build_normals"]


class NormalShards(NamedTuple):
    """Shards of `normals.npy` (n, 3, h, w) and the name of each image's source, in order."""

    shards: list[Artefact]
    sources: list[str]
    failures: list[Failure]
    intermediate: list[Artefact]

    def subjects(self, crops: Crops) -> list[str]:
        """Whose face each image shows, when they were made from `crops`."""
        whose = {row.path: row.subject for row in crops.rows()}
        return [whose[source] for source in self.sources]

    @property
    def paths(self) -> list[Path]:
        """The image files."""
        return [shard.path / "normals.npy" for shard in self.shards]


@task(name="reconstruct and encode photos", **policies.STAGE)
def encode_photos(crops: Crops, expnet: TrainedExpNet, config: NormalsConfig, seed: int) -> NormalShards:
    """Every crop to a 3D face to normal component images, varied as cleaned scans are."""
    workspace = open_workspace()
    variation = {
        "rotation_deg": config.rotation_spread_deg,
        "shift_mm": config.shift_spread_mm,
        "size": config.size_spread,
        "noise_mm": config.noise_mm,
    }
    wearing = {
        "transfer": config.expression_transfer,
        "weakest": config.expression_strength[0],
        "strongest": config.expression_strength[1],
    }
    found = _coefficients(workspace, crops, expnet)
    people = _people(workspace, crops, found, config.identity_spread, seed)
    common = {
        "grid": _grid(config),
        "crop_radius_mm": config.crop_radius_mm,
        "variants": config.variants_per_photo,
        "variation": variation,
        "pooling": config.identity_pooling,
        "wearing": wearing,
    }
    units, arguments = [], []
    for number, shard in enumerate(found):
        units.append(([shard, people], {**common, "seed": seed + number}))
        where = {"coefficients": shard.path / "coefficients.npy", "people": people.path}
        arguments.append({**where, "owner": people.path / f"{number}.npy"})
    shards = make_all(workspace, "photo-normals", units, CODE, build_photo_normals, "3D faces to normals", arguments)
    sources = [row.path for row in crops.rows() for _ in range(config.variants_per_photo)]
    return NormalShards(shards, sources, crops.failures(), [*found, people])


@task(name="clean and encode scans", **policies.STAGE)
def encode_scans(root: Path, records: list[ScanRecord], config: NormalsConfig) -> NormalShards:
    """Every scan cleaned, brought upright and encoded; failures are kept as rows."""
    workspace = open_workspace()
    common = {"grid": _grid(config), "crop_radius_mm": config.crop_radius_mm}
    units, arguments = [], []
    for start in range(0, len(records), SCANS_PER_SHARD):
        paths = [str(record.path) for record in records[start : start + SCANS_PER_SHARD]]
        units.append(([sha256_file(root / path) for path in paths], common))
        arguments.append({"root": root, "paths": paths})
    shards = make_all(workspace, "scan-normals", units, CODE, build_scan_normals, "clean and encode scans", arguments)
    sources = [row[0] for shard in shards for row in read_table(shard.path / "rows.csv")]
    failures = [Failure(*row) for shard in shards for row in read_table(shard.path / "failures.csv")]
    return NormalShards(shards, sources, failures, [])


def _coefficients(workspace: Workspace, crops: Crops, expnet: TrainedExpNet) -> list[Artefact]:
    units = [([shard, expnet.artefact], {}) for shard in crops.shards]
    paths = [{"crops": shard.path / "reconstructor.npy", "network": expnet.artefact.path} for shard in crops.shards]
    return make_all(workspace, "coefficients", units, CODE, build_coefficients, "photos to coefficients", paths)


def _people(workspace: Workspace, crops: Crops, found: list[Artefact], spread: float, seed: int) -> Artefact:
    """What the estimates of all photos say together: a mean for each subject, and expressions to borrow."""
    subjects = [row.subject for row in crops.rows()]
    files = [shard.path / "coefficients.npy" for shard in found]
    lengths = [len(np.load(path, mmap_mode="r", allow_pickle=False)) for path in files]
    owner = np.unique(np.array(subjects), return_inverse=True)[1].astype(np.int64)
    owners = np.split(owner, np.cumsum(lengths)[:-1])
    identity = CoefficientLayout().identity

    def build(folder: Path, _: Path) -> None:
        build_people(folder, identity, spread, seed, files, owners)

    config = {"subjects": sha256_bytes("\n".join(subjects).encode()), "spread": spread, "seed": seed}
    return make(workspace, "people", found, config, CODE, build)


def load_normals(given: NormalShards) -> np.ndarray:
    """All images of a test set in memory (a benchmark of 2,500 scans at 112 pixels takes 94 MB)."""
    return np.concatenate([np.load(path, allow_pickle=False) for path in given.paths])


def _grid(config: NormalsConfig) -> list[float]:
    return [config.pixels, config.pixels, config.mm_per_pixel]
