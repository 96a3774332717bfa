"""Photos to aligned crops, in the two sizes that the networks take."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prefect import task

from infra.files import canonical_json, sha256_bytes
from infra.store import Artefact
from models.types import Failure
from registry.catalogue import ManifestRow, Snapshot, load_rows
from registry.lineage import record_block
from tasks import policies
from tasks.build_crops import CropRow, build_crops, read_crop_rows, read_failures
from tasks.stages import make_all
from tasks.wiring import open_workspace

PHOTOS_PER_SHARD = 400


class Crops(NamedTuple):
    """Shards of aligned crops; each holds `recogniser.npy` and `reconstructor.npy` (n, 3, s, s) and its rows."""

    shards: list[Artefact]

    def rows(self) -> list[CropRow]:
        """Path and subject of every crop, in the order of the shards."""
        return [row for shard in self.shards for row in read_crop_rows(shard.path)]

    def failures(self) -> list[Failure]:
        """Photos that gave no crop, with the reason."""
        return [failure for shard in self.shards for failure in read_failures(shard.path)]

    def paths(self, network: str) -> list[Path]:
        """The files for `recogniser` or `reconstructor`."""
        return [shard.path / f"{network}.npy" for shard in self.shards]


@task(name="align photos", **policies.STAGE)
def align_photos(snapshot: Snapshot, root: Path, recogniser_px: int, reconstructor_px: int) -> Crops:
    """Every photo of the snapshot aligned by its five points, which are detected where the data set has none."""
    rows = load_rows(open_workspace().engine, snapshot.id)
    return align_rows.fn(snapshot, root, rows, recogniser_px, reconstructor_px)


@task(name="align some photos", **policies.STAGE)
def align_rows(
    snapshot: Snapshot, root: Path, rows: Iterable[ManifestRow], recogniser_px: int, reconstructor_px: int
) -> Crops:
    """The same for some rows of the snapshot."""
    workspace = open_workspace()
    units, arguments = [], []
    for block in _blocks(rows, PHOTOS_PER_SHARD):
        photos = [
            {"path": row.path, "subject": row.subject, "points": row.points, "failure": row.failure} for row in block
        ]
        digest = sha256_bytes(
            canonical_json([[row.sha256, row.path, row.subject, row.points] for row in block]).encode()
        )
        record_block(workspace.engine, digest, snapshot.id)
        units.append(([digest], {"recogniser_px": recogniser_px, "reconstructor_px": reconstructor_px}))
        arguments.append({"root": root, "rows": photos, "assets": workspace.settings.assets})
    shards = make_all(workspace, "crops", units, ["tasks.build_crops"], build_crops, "align photos", arguments)
    return Crops(shards)


def _blocks(rows: Iterable[ManifestRow], size: int) -> Iterator[Sequence[ManifestRow]]:
    """Blocks of neighbours by path, so that a changed photo touches one block."""
    ordered = sorted(rows, key=lambda row: row.path)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
