"""Training of one reconstructor on the face world."""

from collections.abc import Callable
from typing import Any, NamedTuple

from prefect import flow

from flows.known import require_trainable
from flows.parameters import ReconstructorRequest
from infra.profiles import PhotoWorldConfig, Profile, load_profile
from infra.store import Artefact
from tasks import policies
from tasks.align import align_photos
from tasks.cnet import train_cnet, view_world
from tasks.files import read_json
from tasks.gather import simulated_photos
from tasks.jobs import Job, close_job, open_world_job
from tasks.recogniser import pretrain
from tasks.reconstructor import train_expnet
from tasks.rnet import TrainedRNet, train_rnet
from tasks.synthesise import Collection, synthesise_photos
from tasks.texface import train_texface
from tasks.validate import require_valid_photos, require_valid_world
from tasks.variants import Variant
from tasks.weak_study import study_weak_training

CODE = ("flows.reconstructor",)
Row = dict[str, Any]
Trainer = Callable[["Ground"], Variant]
Study = Callable[["Ground"], list[Row]]


class Ground(NamedTuple):
    """What a reconstructor is trained with: numbers, photos to learn from, photos of other people, the run it logs to,
    and the network that looks at photos for the perceptual loss, where there is one.
    """

    profile: Profile
    world: Collection
    unseen: Collection
    job: Job
    photo_network: Artefact | None


@flow(name="train-reconstructor", **policies.TRAINING)
def train_reconstructor(request: ReconstructorRequest) -> dict[str, Any]:
    """Train what is named; returns rows of errors on people it never saw."""
    profile = load_profile(request.profile)
    train = _study_of(request)
    kind = f"{request.name} without labels" if request.without_labels else request.name
    job = open_world_job(profile, kind, CODE)
    looks = request.name in ("rnet", "cnet") and profile.rnet.weights.perceptual > 0 and not request.without_labels
    rows = train(Ground(profile, *worlds(profile, job), job, photo_network(profile, job) if looks else None))
    close_job(job)
    return {"trained": kind, "profile": profile.name, "heldout": rows}


def _study_of(request: ReconstructorRequest) -> Study:
    require_trainable(request)
    if request.without_labels:
        return _weak
    if request.name == "cnet":
        return _cnet
    trainer = TRAINERS[request.name]
    return lambda ground: [_error(trainer(ground))]


def worlds(profile: Profile, job: Job) -> tuple[Collection, Collection]:
    """Simulated photos to learn from, and others of people whom no reconstructor sees; both validated."""
    world = synthesise_photos(profile.expnet.world, "reconstruction", profile.seed)
    unseen = synthesise_photos(held_out(profile), "heldout", profile.seed)
    require_valid_world(world, "world", job)
    require_valid_world(unseen, "world-held-out", job)
    return world, unseen


def held_out(profile: Profile) -> PhotoWorldConfig:
    """Photos like those the reconstructors learn from, of people they never see."""
    return profile.expnet.world.model_copy(update={"people": profile.expnet.held_out_people})


def photo_network(profile: Profile, job: Job) -> Artefact:
    """The Sphere20 of the profile, pre-trained on its simulated photos."""
    photos = simulated_photos(profile)
    require_valid_photos(photos, job)
    crops = align_photos(photos.snapshot, photos.root, profile.recogniser.photo_pixels, profile.expnet.pixels)
    return pretrain(crops, profile.recogniser, profile.seed, job).artefact


def _expnet(ground: Ground) -> Variant:
    profile = ground.profile
    trained = train_expnet(ground.world, ground.unseen, profile.expnet, profile.seed, ground.job)
    return Variant("expnet", trained.artefact, data=tuple(trained.data))


def _rnet(ground: Ground) -> Variant:
    trained = _trained_rnet(ground)
    return Variant("rnet", trained.artefact, data=tuple(trained.data))


def _trained_rnet(ground: Ground) -> TrainedRNet:
    profile = ground.profile
    return train_rnet(ground.world, ground.unseen, profile.rnet, profile.seed, ground.job, ground.photo_network)


def _texface(ground: Ground) -> Variant:
    profile = ground.profile
    trained = train_texface(ground.world, ground.unseen, profile.texface, profile.seed, ground.job)
    return Variant("texface", trained.artefact, data=tuple(trained.data))


def _error(variant: Variant) -> Row:
    return {} if variant.artefact is None else read_json(variant.artefact.path / "error.json")


def _cnet(ground: Ground) -> list[Row]:
    """C-Net on an R-Net, among people whom the R-Net has not seen; a row for each number of views."""
    seed, config = ground.profile.seed, ground.profile.cnet
    views, held_out = (
        synthesise_photos(view_world(ground.profile.expnet.world, config, people), split, seed + 1)
        for people, split in ((config.people, "reconstruction"), (config.held_out_people, "heldout"))
    )
    require_valid_world(views, "views", ground.job)
    require_valid_world(held_out, "views-held-out", ground.job)
    trained = train_cnet(_trained_rnet(ground), views, held_out, config, seed, ground.job)
    return [row._asdict() for row in trained.comparison]


def _weak(ground: Ground) -> list[Row]:
    """R-Net without any label, with and without the photometric loss."""
    profile = ground.profile
    rows = study_weak_training(ground.world, ground.unseen, profile.rnet, profile.seed, ground.job)
    return [row._asdict() for row in rows]


TRAINERS: dict[str, Trainer] = {"expnet": _expnet, "rnet": _rnet, "texface": _texface}
