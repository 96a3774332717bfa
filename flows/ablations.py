"""Paper A's ablations: each axis and the fusion, both losses, reconstructors, every benchmark, and what it costs."""

from collections.abc import Mapping
from typing import Any

from prefect import flow

from flows.bench import prepare_benches
from flows.branches import LOSSES, Branches, Seen, train_branches
from flows.known import require_benchmarks, require_known
from flows.parameters import AblationsRequest
from flows.recognizer import gather, output_folder
from flows.reconstructor import Ground, worlds
from infra.profiles import Profile, load_profile
from tasks import policies
from tasks.ablation import Bench, Trained, ablate
from tasks.ablation_report import Studied, report_ablations, stage_seconds
from tasks.align import align_photos
from tasks.complexity import Parts, measure_complexity, with_reconstructors
from tasks.fit_sphere20 import LossName
from tasks.jobs import Job, open_job, open_part
from tasks.measure import measure_cost
from tasks.recogniser import pretrain
from tasks.release import export
from tasks.validate import require_valid_photos

CODE = ("flows.ablations",)
EXPERIMENT = "ablations"
CHOSEN = "lmcl"
"""The loss that every reconstructor is compared with; the first one asked for gets the other too."""


@flow(name="ablations", **policies.TRAINING)
def ablations(request: AblationsRequest) -> dict[str, Any]:
    """Train what is missing, encode every benchmark once, score all variants on it; returns `ablations.json`."""
    profile = load_profile(request.profile)
    names = require_known(request.reconstructors.split(","))
    asked = require_benchmarks(request.benchmarks.split(","))
    photos = gather(request.photos, request.licence, profile)
    job = open_job(profile, photos.snapshot, CODE, EXPERIMENT, [*names, *asked])
    require_valid_photos(photos, job)
    crops = align_photos(photos.snapshot, photos.root, profile.recogniser.photo_pixels, profile.expnet.pixels)
    seen = Seen(photos, crops, pretrain(crops, profile.recogniser, profile.seed, job))
    ground = Ground(profile, *worlds(profile, job), job, seen.pretrained.artefact)

    runs = {name.partition("=")[0]: _part(job, profile, "reconstructor", name.partition("=")[0]) for name in names}
    branches = {
        run: _branches(name, ground._replace(job=runs[run]), seen, names) for run, name in zip(runs, names, strict=True)
    }
    bench_runs = {name: _part(job, profile, "benchmark", name) for name in asked}
    benches = prepare_benches(asked, profile, photos.snapshot, bench_runs)

    trained = [Trained(name, seen.pretrained, each.adapted) for name, each in branches.items()]
    found = [ablate(bench, trained, profile.seed) for bench in benches]
    complexity = _complexity(branches, benches[0], profile)
    made = {name: (each.normals, each.adapted) for name, each in branches.items()}
    seconds = stage_seconds(seen.pretrained, made, benches)
    studied = Studied(profile, photos.snapshot, found, runs, bench_runs, complexity, seconds)
    return report_ablations(output_folder(request.photos, profile), studied, job)


def _part(job: Job, profile: Profile, kind: str, name: str) -> Job:
    return open_part(job, name, {kind: name, "profile": profile.name})


def _branches(name: str, ground: Ground, seen: Seen, names: list[str]) -> Branches:
    losses: dict[str, LossName] = LOSSES if name == names[0] else {CHOSEN: LOSSES[CHOSEN]}
    return train_branches(name, ground, seen, losses)


def _complexity(branches: Mapping[str, Branches], bench: Bench, profile: Profile) -> Parts:
    """Reconstructors on photos, and recognition by the first one's branches on scans of a benchmark."""
    first = next(iter(branches.values()))
    chosen = first.adapted[CHOSEN]
    exported = export(chosen, first.normals, first.faces.crops, first.variant)
    parts = measure_complexity(chosen, exported, bench, profile.normals)
    return with_reconstructors(parts, {name: measure_cost(each.faces) for name, each in branches.items()})
