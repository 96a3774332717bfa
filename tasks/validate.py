"""Nothing trains on, encodes or evaluates what a suite of expectations refuses."""

from functools import partial
from pathlib import Path

from prefect import task

from expectations.blocks import validate_blocks
from expectations.coefficients import validate_coefficients
from expectations.embeddings import validate_embeddings
from expectations.normal_images import NormalLimits, validate_normal_images
from expectations.report import Validation
from infra.files import canonical_json, sha256_bytes
from models.facts.normals import LENGTH_TOLERANCE
from models.metrics.protocol import Protocol
from models.readers.records import ScanRecord
from models.readers.vggface2 import index_vggface2
from registry.catalogue import Snapshot
from tasks import policies
from tasks.embed import Embeddings
from tasks.faces import Faces
from tasks.facts import coefficient_facts_of, embedding_facts_of, look_at_disk, normal_facts_of
from tasks.frames import facts_in_blocks, load_facts
from tasks.gather import Photos
from tasks.inspections import inspect_photos, inspect_scans, inspect_snapshot
from tasks.jobs import Job
from tasks.normals import NormalShards
from tasks.synthesise import SPLIT_FOLDER, Collection
from tasks.verdicts import require_passed
from tasks.wiring import open_workspace

SIMULATED = "vggface2"
FILE_CODE = ["tasks.build_file_facts"]


def validate_snapshot(snapshot: Snapshot, root: Path, data_set: str = "") -> Validation:
    """Hold catalogue, manifest, files and content suites against a stored snapshot of photos or scans below `root`.

    `data_set` is the name of its reader in `models.readers.datasets`, if known; where the names of the files say whose
    they are, it makes them binding. Every file is hashed anew; what is in an unchanged one is not looked at twice.
    Raises nothing about the data: the caller decides.
    """
    return inspect_snapshot(open_workspace(), snapshot, root.absolute(), 1, 1, data_set)


@task(name="validate photos", **policies.CHECK)
def require_valid_photos(photos: Photos, job: Job, fewest_people: int = 2, fewest_photos: int = 2) -> Validation:
    """The snapshot as the catalogue has it, its manifest, files and pixels; raises `ValidationFailed` naming rows.

    The verdict is asked once for one snapshot: whoever takes it has just hashed every file.
    """
    workspace, snapshot = open_workspace(), photos.snapshot
    stated = SIMULATED if photos.collection is not None else ""
    limits = {"fewest_people": fewest_people, "fewest_photos": fewest_photos, "data_set": stated}

    def look() -> Validation:
        return inspect_snapshot(workspace, snapshot, photos.root, fewest_people, fewest_photos, stated)

    config = {"about": snapshot.name, **limits}
    return require_passed(workspace, "photos", [snapshot.id], config, FILE_CODE, look, job)


@task(name="validate simulated photos", **policies.CHECK)
def require_valid_world(world: Collection, topic: str, job: Job) -> Validation:
    """Manifest and pixels of simulated photos that a reconstructor learns from or is measured on."""
    workspace, root = open_workspace(), world.root.path

    def look() -> Validation:
        records = list(index_vggface2(root, SPLIT_FOLDER))
        return inspect_photos(workspace, topic, "face world", root, records, SIMULATED)

    return require_passed(workspace, topic, [world.root], {}, FILE_CODE, look, job)


@task(name="validate scans", **policies.CHECK)
def require_valid_scans(root: Path, records: list[ScanRecord], protocol: Protocol, job: Job) -> Validation:
    """Manifest, in the protocol's roles, and meshes of the scans of a benchmark."""
    workspace = open_workspace()
    found = list(look_at_disk(root, [record.path for record in records], workspace.settings.workers))
    listed = [[record.path, now.sha256] for record, now in zip(records, found, strict=True)]
    inputs = [sha256_bytes(canonical_json(listed).encode())]

    def look() -> Validation:
        return inspect_scans(workspace, root, records, found, protocol)

    config = {"about": protocol.name, "protocol": protocol.hash()}
    return require_passed(workspace, "scans", inputs, config, FILE_CODE, look, job)


@task(name="validate coefficients", **policies.CHECK)
def require_valid_coefficients(faces: Faces, job: Job) -> Validation:
    """Coefficients of every photo that gave a face, and how many gave none."""
    workspace, about = open_workspace(), faces.variant.name
    shards = coefficient_facts_of(workspace, faces)

    def look() -> Validation:
        return Validation("coefficients", about, (validate_coefficients(load_facts(shards)),))

    return require_passed(workspace, "coefficients", shards, {"about": about}, [], look, job)


@task(name="validate normal images", **policies.CHECK)
def require_valid_normals(normals: NormalShards, topic: str, job: Job) -> Validation:
    """Every normal component image; `topic` says whether they were made of photos or of scans."""
    workspace = open_workspace()
    shards = normal_facts_of(workspace, normals)
    suite = partial(validate_normal_images, limits=NormalLimits(tolerance=LENGTH_TOLERANCE))

    def look() -> Validation:
        return Validation(topic, "Nx, Ny, Nz", (validate_blocks(facts_in_blocks(shards), suite),))

    return require_passed(workspace, topic, shards, {}, [], look, job)


@task(name="validate embeddings", **policies.CHECK)
def require_valid_embeddings(embedded: Embeddings, job: Job) -> Validation:
    """Embeddings of every scan by every network, before any distance is taken."""
    workspace, about = open_workspace(), ", ".join(embedded.variants)
    shards = embedding_facts_of(workspace, embedded.artefact, embedded.sources, embedded.networks())

    def look() -> Validation:
        return Validation("embeddings", about, (validate_embeddings(load_facts(shards)),))

    return require_passed(workspace, "embeddings", shards, {"about": about}, [], look, job)
