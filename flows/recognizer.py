"""Paper A from photos to a champion: reconstruct, encode, pre-train, fine-tune, evaluate, promote."""

from pathlib import Path
from typing import Any

from prefect import flow

from flows.parameters import TrainRequest
from flows.promote import compete
from flows.reconstructor import worlds
from infra.profiles import Profile, load_profile
from infra.resources import PeakMemory
from models.types import AXES
from tasks import policies
from tasks.align import align_photos
from tasks.benchmark import Benchmark, simulated_benchmark
from tasks.embed import Three, embed_scans
from tasks.evaluate import evaluate
from tasks.faces import coefficients_of, pool_people
from tasks.fit_sphere20 import LossName
from tasks.gather import Photos, own_photos, simulated_photos
from tasks.jobs import Job, open_job
from tasks.leakage import require_apart
from tasks.licences import licences_of
from tasks.normals import NormalShards, encode_photos, encode_scans
from tasks.outcomes import Outcomes
from tasks.quantise import quantise_branches
from tasks.recogniser import Network, finetune, pretrain
from tasks.reconstructor import train_expnet
from tasks.release import export, register_candidate
from tasks.report import Findings, draw_pictures, keep_peak, report
from tasks.rescore import champion_to_score, outcomes_of_champion
from tasks.validate import (
    require_valid_coefficients,
    require_valid_embeddings,
    require_valid_normals,
    require_valid_photos,
    require_valid_scans,
)
from tasks.variants import Variant
from tasks.wiring import open_workspace

CODE = ("flows.recognizer",)
LOSSES: dict[str, LossName] = {"ce": "cross_entropy", "lmcl": "lmcl"}
CANDIDATE = "lmcl"
SIMULATED = "simulated BU-3DFE (face world)"


@flow(name="train-recognizer", **policies.TRAINING)
def train_recognizer(request: TrainRequest) -> dict[str, Any]:
    """Train, measure and register a three-branch recogniser; returns what `results.json` says."""
    profile = load_profile(request.profile)
    with PeakMemory(interval_s=0.5) as memory:
        results = carry_out(request, profile)
    return keep_peak(output_folder(request.photos, profile), results, memory.peak_mb)


def carry_out(request: TrainRequest, profile: Profile) -> dict[str, Any]:
    """Every step from photos to a report."""
    photos = gather(request.photos, request.licence, profile)
    job = open_job(profile, photos.snapshot, CODE, tags={"reconstructor": "expnet"})
    require_valid_photos(photos, job)
    crops = align_photos(photos.snapshot, photos.root, profile.recogniser.photo_pixels, profile.expnet.pixels)
    benchmark = simulated_benchmark("bu3dfe", profile)
    require_apart(photos.snapshot, benchmark.snapshot)

    world, unseen = worlds(profile, job)
    expnet = train_expnet(world, unseen, profile.expnet, profile.seed, job)
    variant = Variant("expnet", expnet.artefact, data=tuple(expnet.data))
    faces = coefficients_of(crops, photos.root, profile.expnet.pixels, variant)
    require_valid_coefficients(faces, job)
    people = pool_people(faces, profile.normals.identity_spread, profile.seed)
    normals = encode_photos(faces, people, profile.normals, profile.seed)
    require_valid_normals(normals, "photo-normals", job)
    pretrained = pretrain(crops, profile.recogniser, profile.seed, job)
    adapted = adapt(normals, pretrained, profile, job)

    require_valid_scans(benchmark.root, benchmark.records, benchmark.protocol, job)
    scans = encode_scans(benchmark.root, benchmark.records, profile.normals)
    require_valid_normals(scans, "scan-normals", job)
    embedded = embed_scans(scans, pretrained, adapted)
    require_valid_embeddings(embedded, job)
    result = evaluate(scans, benchmark.protocol, pretrained, adapted, profile.seed, benchmark.records)
    exported = export(adapted[CANDIDATE], normals, crops, variant)
    exported = quantise_branches(exported, normals, scans, benchmark.protocol)
    licences = licences_of(exported.artefact, [photos.snapshot])
    version = register_candidate(exported, result, CANDIDATE, profile.gate, licences, profile.model_name, job)
    released = compete(version.model, version.version, score_champion(version.model, benchmark))

    folder = output_folder(request.photos, profile)
    draw_pictures(folder, crops, profile.normals, expnet, result, scans, benchmark.protocol, CANDIDATE)
    stages = {
        "photos": [*(photos.collection.shards if photos.collection else []), *world.shards, *unseen.shards],
        "align": crops.shards,
        "expnet": [*expnet.data, expnet.artefact],
        "reconstruct and encode": [*faces.shards, people, *normals.shards],
        "pretrain": [pretrained.artefact],
        **{f"finetune {name}": [branch.artefact for branch in three] for name, three in adapted.items()},
        "scans": benchmark.shards,
        "clean and encode scans": scans.shards,
        "embed": [embedded.artefact],
        "evaluate": [result.artefact],
        "export": [exported.artefact],
    }
    findings = Findings(
        profile, photos.snapshot, expnet.error, result, SIMULATED, released, len(normals.failures), stages, CANDIDATE
    )
    return report(folder, findings, job)


def score_champion(model: str, benchmark: Benchmark) -> Outcomes | None:
    """What the champion makes of this benchmark, where it keeps no outcomes under its protocol."""
    champion = champion_to_score(model, benchmark.protocol)
    if champion is None:
        return None
    return outcomes_of_champion(
        champion, encode_scans(benchmark.root, benchmark.records, champion.normals), benchmark.protocol
    )


def adapt(normals: NormalShards, pretrained: Network, profile: Profile, job: Job) -> dict[str, Three]:
    """Three axes for each loss, side by side as far as there are workers."""
    config, seed = profile.recogniser, profile.seed
    futures = {
        name: [finetune.submit(normals, pretrained, axis, loss, config, seed, job) for axis in AXES]
        for name, loss in LOSSES.items()
    }
    adapted = {name: [future.result() for future in three] for name, three in futures.items()}
    return {name: (x, y, z) for name, (x, y, z) in adapted.items()}


def output_folder(photos: Path | None, profile: Profile) -> Path:
    """`<home>/<profile>`, with the photos' folder name where they are the user's own."""
    return open_workspace().home / (profile.name if photos is None else f"{profile.name}-{photos.absolute().name}")


def gather(photos: Path | None, licence: str, profile: Profile) -> Photos:
    """The user's photos where a folder is named, else the face world's."""
    return simulated_photos(profile) if photos is None else own_photos(photos, licence)
