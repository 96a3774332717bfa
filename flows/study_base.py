"""What every experiment starts from: the plain method, trained as the demo trains it, and its benchmarks."""

from collections.abc import Sequence
from typing import NamedTuple

from flows.bench import prepare_benches
from flows.branches import LOSSES, Branches, Seen, train_branches
from flows.recognizer import gather
from flows.reconstructor import Ground, worlds
from infra.profiles import Profile, load_profile
from tasks.ablation import Bench
from tasks.align import align_photos
from tasks.jobs import Job, open_job, open_part
from tasks.recogniser import pretrain
from tasks.validate import require_valid_photos

EXPERIMENT = "experiments"
PLAIN = "expnet"
LOSS = "lmcl"


class Base(NamedTuple):
    """The plain method, and what it is measured on."""

    profile: Profile
    ground: Ground
    seen: Seen
    plain: Branches
    benches: list[Bench]
    job: Job
    runs: dict[str, Job]


def open_base(profile_name: str, name: str, request: str, benchmarks: Sequence[str], code: tuple[str, ...]) -> Base:
    """Photos, the pre-trained network, ExpNet and its three branches; nothing is made that is there already."""
    profile = load_profile(profile_name)
    photos = gather(None, "", profile)
    job = open_job(profile, photos.snapshot, code, EXPERIMENT, [name, request])
    require_valid_photos(photos, job)
    crops = align_photos(photos.snapshot, photos.root, profile.recogniser.photo_pixels, profile.expnet.pixels)
    seen = Seen(photos, crops, pretrain(crops, profile.recogniser, profile.seed, job))
    ground = Ground(profile, *worlds(profile, job), job, None)
    runs = {part: open_part(job, part, {"experiment": name, "profile": profile.name}) for part in (PLAIN, *benchmarks)}
    plain = train_branches(PLAIN, ground._replace(job=runs[PLAIN]), seen, {LOSS: LOSSES[LOSS]})
    return Base(profile, ground, seen, plain, prepare_benches(benchmarks, profile, photos.snapshot, runs), job, runs)
