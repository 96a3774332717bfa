"""Training of one reconstructor on the face world."""

from collections.abc import Callable
from typing import Any

from prefect import flow

from flows.parameters import ReconstructorRequest
from infra.profiles import PhotoWorldConfig, Profile, load_profile
from models.errors import ConfigurationError
from tasks.cnet import train_cnet, view_world
from tasks.files import read_json
from tasks.jobs import Job, close_job, open_world_job
from tasks.reconstructor import train_expnet
from tasks.rnet import train_rnet
from tasks.synthesise import Collection, synthesise_photos
from tasks.texface import train_texface
from tasks.variants import Variant
from tasks.weak_study import study_weak_training

CODE = ("flows.reconstructor",)
Row = dict[str, Any]
Study = Callable[[Profile, Collection, Collection, Job], list[Row]]
Trainer = Callable[[Profile, Collection, Collection, Job], Variant]


@flow(name="train-reconstructor", retries=0)
def train_reconstructor(request: ReconstructorRequest) -> dict[str, Any]:
    """Train what is named; returns rows of errors on people it never saw."""
    profile = load_profile(request.profile)
    train = _study_of(request)
    kind = f"{request.name} without labels" if request.without_labels else request.name
    job = open_world_job(profile, kind, CODE)
    rows = train(profile, *worlds(profile), job)
    close_job(job)
    return {"trained": kind, "profile": profile.name, "heldout": rows}


def require_trainable(request: ReconstructorRequest) -> None:
    """Raise `ConfigurationError` for a name that nothing trains, or that knows no training without labels."""
    _study_of(request)


def _study_of(request: ReconstructorRequest) -> Study:
    if request.without_labels and request.name != "rnet":
        raise ConfigurationError(f"{request.name!r} cannot be trained without labels; rnet can")
    if request.without_labels:
        return _weak
    if request.name == "cnet":
        return _cnet
    trainer = trainer_of(request.name)
    return lambda profile, world, unseen, job: [_error(trainer(profile, world, unseen, job))]


def trainer_of(name: str) -> Trainer:
    """What trains the reconstructor called `name`; raises `ConfigurationError` with those known."""
    if name not in TRAINERS:
        raise ConfigurationError(f"no reconstructor {name!r} to train; choose of {', '.join(TRAINERS)}, or cnet")
    return TRAINERS[name]


def worlds(profile: Profile) -> tuple[Collection, Collection]:
    """Simulated photos to learn from, and others of people whom no reconstructor sees."""
    world = synthesise_photos(profile.expnet.world, "reconstruction", profile.seed)
    return world, synthesise_photos(held_out(profile), "heldout", profile.seed)


def held_out(profile: Profile) -> PhotoWorldConfig:
    """Photos like those the reconstructors learn from, of people they never see."""
    return profile.expnet.world.model_copy(update={"people": profile.expnet.held_out_people})


def _expnet(profile: Profile, world: Collection, unseen: Collection, job: Job) -> Variant:
    trained = train_expnet(world, unseen, profile.expnet, profile.seed, job)
    return Variant("expnet", trained.artefact, data=tuple(trained.data))


def _rnet(profile: Profile, world: Collection, unseen: Collection, job: Job) -> Variant:
    trained = train_rnet(world, unseen, profile.rnet, profile.seed, job)
    return Variant("rnet", trained.artefact, data=tuple(trained.data))


def _texface(profile: Profile, world: Collection, unseen: Collection, job: Job) -> Variant:
    trained = train_texface(world, unseen, profile.texface, profile.seed, job)
    return Variant("texface", trained.artefact, data=tuple(trained.data))


def _error(variant: Variant) -> Row:
    return {} if variant.artefact is None else read_json(variant.artefact.path / "error.json")


def _cnet(profile: Profile, world: Collection, unseen: Collection, job: Job) -> list[Row]:
    """C-Net on an R-Net, among people whom the R-Net has not seen; a row for each number of views."""
    seed, config = profile.seed, profile.cnet
    rnet = train_rnet(world, unseen, profile.rnet, seed, job)
    views, held_out = (
        synthesise_photos(view_world(profile.expnet.world, config, people), split, seed + 1)
        for people, split in ((config.people, "reconstruction"), (config.held_out_people, "heldout"))
    )
    trained = train_cnet(rnet, views, held_out, config, seed, job)
    return [row._asdict() for row in trained.comparison]


def _weak(profile: Profile, world: Collection, unseen: Collection, job: Job) -> list[Row]:
    """R-Net without any label, with and without the photometric loss."""
    return [row._asdict() for row in study_weak_training(world, unseen, profile.rnet, profile.seed, job)]


TRAINERS: dict[str, Trainer] = {"expnet": _expnet, "rnet": _rnet, "texface": _texface}
