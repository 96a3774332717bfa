"""A few real scans among many reconstructed faces: hybrid training, which the papers leave to the future."""

from math import ceil
from typing import NamedTuple

from prefect import task

from infra.profiles.benchmarks import ScannerConfig
from models.readers.folder import index_scans
from models.readers.records import ScanRecord
from tasks import policies
from tasks.build_few_scans import build_few_scans
from tasks.normals import NormalShards
from tasks.picked import pick, together
from tasks.stages import make, make_all
from tasks.synthesise import Collection, blocks, join
from tasks.wiring import open_workspace

PEOPLE_PER_SHARD = 5


class FewScans(NamedTuple):
    """How many scans to learn from, how many of each person, by what scanner."""

    scans: int
    each: int
    scanner: ScannerConfig

    @property
    def people(self) -> int:
        """As many as it takes."""
        return ceil(self.scans / self.each)


@task(name="synthesise scans to learn from", **policies.STAGE)
def synthesise_few_scans(asked: FewScans, seed: int) -> Collection:
    """Scans of people who are in no test and on no photo, in OBJ files below a folder for each."""
    workspace = open_workspace()
    common = {"seed": seed, "each": asked.each, "scanner": asked.scanner.model_dump()}
    units = [
        ([], {**common, "first": first, "count": count}) for first, count in blocks(asked.people, PEOPLE_PER_SHARD)
    ]
    code = ["tasks.build_few_scans"]
    shards = make_all(workspace, "scan-shards", units, code, build_few_scans, "scans to learn from")
    root = make(workspace, "scans", shards, {}, ["tasks.synthesise"], lambda folder, _: join(folder, shards))
    return Collection(root, shards)


def list_few_scans(scans: Collection) -> list[ScanRecord]:
    """The scans with the people they show, a person after the other."""
    return sorted(index_scans(scans.root.path), key=lambda record: record.path)


def hybrid(faces: NormalShards, scans: NormalShards, share: float) -> NormalShards:
    """Reconstructed faces, and as many scans as are `share` of them (all there are at most)."""
    wanted = min(round(share * len(faces.sources)), len(scans.sources))
    return together(faces, pick(scans, scans.sources[:wanted])) if wanted else faces


def with_people(scans: NormalShards) -> NormalShards:
    """The encoded scans with whose they are, told by the folder; nobody on a photo is called so."""
    return scans._replace(subjects=[f"scanned {source.split('/')[0]}" for source in scans.sources])
