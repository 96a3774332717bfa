"""What a job would take that nobody has run yet: shards, bytes and hours by stage, from rates of single items."""

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from infra.profiles import Profile
from tasks.align import PHOTOS_PER_SHARD
from tasks.normals import SCANS_PER_SHARD
from tasks.rates import Rate

AXES_AND_LOSSES = 6
BYTES_PER_ROW = 700
"""Assumed: what a photo's row (path, subject, points, hash) takes in the memory of the process that runs the flow."""
SHARD_S = (5.0, 1800.0)
"""A shard below costs about as much to hand out as to make; one above loses much when its worker dies."""


class Work(NamedTuple):
    """One stage: `items` through the rate of that name, in so many shards (0: one process trains on all)."""

    stage: str
    rate: str
    items: int
    kept: int
    shards: int


class Cost(NamedTuple):
    """What a stage takes: on one core, or on one GPU where a network learns or is asked."""

    work: Work
    rate: Rate
    size_gb: float
    core_hours: float
    gpu_hours: float


def plan(profile: Profile, photos: int, rates: Mapping[str, Rate], gpu_tflops: float) -> list[Cost]:
    """The stages of `train-recognizer` on `photos` photos; GPU hours assume `gpu_tflops` sustained."""
    return [_cost(work, rates[work.rate], gpu_tflops) for work in works(profile, photos)]


def works(profile: Profile, photos: int) -> list[Work]:
    """The stages, with how many items each works through; an epoch is once through all."""
    world = profile.expnet.world
    made = (world.people + profile.expnet.held_out_people) * world.photos_per_person
    world_shards = ceil(world.people / world.people_per_shard)
    shards = ceil(photos / PHOTOS_PER_SHARD)
    recogniser, images = profile.recogniser, photos * profile.normals.variants_per_photo
    scans = 25 * profile.benchmark.people
    scan_shards = ceil(scans / SCANS_PER_SHARD)
    return [
        Work("photos to train ExpNet on", "training photos", made, made, world_shards),
        Work("their crops", "training crops", made, made, world_shards),
        Work("train ExpNet", "train expnet", made * profile.expnet.epochs, 0, 0),
        Work("align photos", "align", photos, photos, shards),
        Work("reconstruct", "reconstruct", photos, photos, shards),
        Work("pool people", "pool", photos, photos, 0),
        Work("encode normals", "encode", photos, photos, shards),
        Work("pre-train on photos", "pretrain", photos * recogniser.pretraining.epochs, 0, 0),
        Work("fine-tune (3 axes, 2 losses)", "finetune", AXES_AND_LOSSES * images * recogniser.finetuning.epochs, 0, 0),
        Work("scans", "scans", scans, scans, ceil(profile.benchmark.people / profile.benchmark.people_per_shard)),
        Work("clean and encode scans", "encode scans", scans, scans, scan_shards),
        Work("embed scans (9 networks)", "embed", 9 * scans, 0, 0),
    ]


def limits(costs: list[Cost], photos: int) -> list[str]:
    """Where it would get tight, the largest first."""
    core, gpu = (sum(getattr(cost, name) for cost in costs) for name in ("core_hours", "gpu_hours"))
    dear = max(costs, key=lambda cost: cost.core_hours)
    store = sum(cost.size_gb for cost in costs)
    return [
        f"time: {dear.work.stage} is {100 * dear.core_hours / core:.0f} % of {core:,.0f} core hours on CPUs alone",
        f"training is one job after another: more GPUs shorten the {gpu:,.0f} GPU hours only as far as batches divide",
        f"disk: {store:,.0f} GB, once in the shared store and once beside whatever trains on them",
        f"memory of the process that runs the flow: about {photos * BYTES_PER_ROW / 1e9:.1f} GB for the rows (assumed)",
        *_odd_shards(costs),
    ]


def _cost(work: Work, rate: Rate, gpu_tflops: float) -> Cost:
    hours = work.items * rate.seconds / 3600
    gpu = work.items * rate.flops / (gpu_tflops * 1e12) / 3600
    return Cost(work, rate, work.kept * rate.size_bytes / 1e9, hours, gpu)


def _odd_shards(costs: list[Cost]) -> list[str]:
    told: list[str] = []
    for cost in costs:
        seconds = 3600 * cost.core_hours / max(1, cost.work.shards)
        if cost.work.shards and not SHARD_S[0] <= seconds <= SHARD_S[1]:
            told.append(f"{cost.work.stage}: a shard takes {seconds:,.1f} s; between 5 s and 30 min is best")
    return told
