"""Reconstructors compared: each reconstructs the same photos, trains the same networks, is tested by one protocol."""

from typing import Any, NamedTuple

from prefect import flow

from flows.branches import LOSSES, Seen, train_branches
from flows.known import require_known
from flows.parameters import CompareRequest
from flows.recognizer import SIMULATED, gather, output_folder
from flows.reconstructor import Ground, worlds
from infra.profiles import Profile, load_profile
from tasks import policies
from tasks.align import align_photos
from tasks.benchmark import Benchmark, simulated_benchmark
from tasks.comparison import ADAPTED, Entry, report_comparison
from tasks.embed import embed_scans
from tasks.evaluate import evaluate
from tasks.jobs import RECONSTRUCTORS, Job, open_job, open_part
from tasks.leakage import require_apart
from tasks.measure import measure_cost, measure_quality
from tasks.normals import NormalShards, encode_scans
from tasks.recogniser import pretrain
from tasks.synthesise import Collection
from tasks.validate import (
    require_valid_embeddings,
    require_valid_normals,
    require_valid_photos,
    require_valid_scans,
)

CODE = ("flows.compare",)


class _Common(NamedTuple):
    """What every reconstructor is given alike."""

    profile: Profile
    seen: Seen
    world: Collection
    unseen: Collection
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
        Seen(photos, crops, pretrain(crops, profile.recogniser, profile.seed, job)),
        *worlds(profile, job),
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
    name = asked.partition("=")[0]
    run = open_part(common.job, name, {"reconstructor": name, "profile": profile.name})
    ground = Ground(profile, common.world, common.unseen, run, common.seen.pretrained.artefact)
    made = train_branches(asked, ground, common.seen, {ADAPTED: LOSSES[ADAPTED]})
    require_valid_embeddings(embed_scans(common.scans, common.seen.pretrained, made.adapted), run)
    result = evaluate(common.scans, common.benchmark.protocol, common.seen.pretrained, made.adapted, seed)
    quality = measure_quality(made.variant, common.unseen, profile.normals)
    return Entry(name, run, made.faces, quality, measure_cost(made.faces), result)
