"""Reconstructors compared: each reconstructs the same photos, trains the same networks, is tested by one protocol."""

from pathlib import Path
from typing import Any, NamedTuple

from prefect import flow

from flows.known import UNTRAINED, require_known
from flows.parameters import CompareRequest
from flows.recognizer import SIMULATED, gather, output_folder
from flows.reconstructor import TRAINERS, Ground, worlds
from infra.profiles import Profile, load_profile
from models.types import AXES
from tasks import policies
from tasks.align import Crops, align_photos
from tasks.benchmark import Benchmark, simulated_benchmark
from tasks.comparison import ADAPTED, Entry, report_comparison
from tasks.embed import Three, embed_scans
from tasks.evaluate import evaluate
from tasks.faces import coefficients_of, pool_people
from tasks.gather import Photos
from tasks.jobs import RECONSTRUCTORS, Job, open_job, open_part
from tasks.leakage import require_apart
from tasks.measure import measure_cost, measure_quality
from tasks.normals import NormalShards, encode_photos, encode_scans
from tasks.recogniser import Network, finetune, pretrain
from tasks.synthesise import Collection
from tasks.validate import (
    require_valid_coefficients,
    require_valid_embeddings,
    require_valid_normals,
    require_valid_photos,
    require_valid_scans,
)
from tasks.variants import Variant

CODE = ("flows.compare",)


class _Common(NamedTuple):
    """What every reconstructor is given alike."""

    profile: Profile
    photos: Photos
    crops: Crops
    world: Collection
    unseen: Collection
    pretrained: Network
    scans: NormalShards
    benchmark: Benchmark
    job: Job


@flow(name="compare-reconstructors", **policies.TRAINING)
def compare_reconstructors(request: CompareRequest) -> dict[str, Any]:
    """Train what needs training, reconstruct, encode, fine-tune and evaluate with each; returns `compare.json`."""
    profile = load_profile(request.profile)
    names = require_known(request.reconstructors.split(","))
    photos = gather(request.photos, request.licence, profile)
    job = open_job(profile, photos.snapshot, CODE, RECONSTRUCTORS, names)
    require_valid_photos(photos, job)
    crops = align_photos(photos.snapshot, photos.root, profile.recogniser.photo_pixels, profile.expnet.pixels)
    benchmark = simulated_benchmark("bu3dfe", profile)
    require_apart(photos.snapshot, benchmark.snapshot)
    require_valid_scans(benchmark.root, benchmark.records, benchmark.protocol, job)
    common = _Common(
        profile,
        photos,
        crops,
        *worlds(profile, job),
        pretrain(crops, profile.recogniser, profile.seed, job),
        encode_scans(benchmark.root, benchmark.records, profile.normals),
        benchmark,
        job,
    )
    require_valid_normals(common.scans, "scan-normals", job)
    entries = [_enter(name, common) for name in names]
    folder = output_folder(request.photos, profile)
    return report_comparison(folder, profile, photos.snapshot, entries, job, SIMULATED)


def _enter(asked: str, common: _Common) -> Entry:
    """One reconstructor, from training to its figures."""
    profile, seed = common.profile, common.profile.seed
    name, _, folder = asked.partition("=")
    run = open_part(common.job, name, {"reconstructor": name, "profile": profile.name})
    variant = Variant(name, meshes=Path(folder).absolute()) if folder else _prepared(name, common, run)
    faces = coefficients_of(common.crops, common.photos.root, profile.expnet.pixels, variant)
    require_valid_coefficients(faces, run)
    people = pool_people(faces, profile.normals.identity_spread, seed)
    normals = encode_photos(faces, people, profile.normals, seed)
    require_valid_normals(normals, "photo-normals", run)
    futures = [
        finetune.submit(normals, common.pretrained, axis, "lmcl", profile.recogniser, seed, run) for axis in AXES
    ]
    x, y, z = (future.result() for future in futures)
    adapted: dict[str, Three] = {ADAPTED: (x, y, z)}
    require_valid_embeddings(embed_scans(common.scans, common.pretrained, adapted), run)
    result = evaluate(common.scans, common.benchmark.protocol, common.pretrained, adapted, seed)
    quality = measure_quality(variant, common.unseen, profile.normals)
    return Entry(name, run, faces, quality, measure_cost(faces), result)


def _prepared(name: str, common: _Common, run: Job) -> Variant:
    """Trained, where it is of the kind that is."""
    if name in UNTRAINED:
        return Variant(name)
    return TRAINERS[name](Ground(common.profile, common.world, common.unseen, run, common.pretrained.artefact))
