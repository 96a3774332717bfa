"""Training of one reconstructor on the face world."""

from collections.abc import Callable
from typing import Any

from prefect import flow

from flows.parameters import ReconstructorRequest
from infra.profiles import PhotoWorldConfig, Profile, load_profile
from models.errors import ConfigurationError
from tasks.files import read_json
from tasks.jobs import Job, close_job, open_world_job
from tasks.reconstructor import train_expnet
from tasks.rnet import train_rnet
from tasks.synthesise import Collection, synthesise_photos
from tasks.texface import train_texface
from tasks.variants import Variant

CODE = ("flows.reconstructor",)
Trainer = Callable[[Profile, Collection, Collection, Job], Variant]


@flow(name="train-reconstructor", retries=0)
def train_reconstructor(request: ReconstructorRequest) -> dict[str, Any]:
    """Train the named reconstructor; returns its errors on people it never saw."""
    profile = load_profile(request.profile)
    trainer = trainer_of(request.name)
    job = open_world_job(profile, request.name, CODE)
    world, unseen = worlds(profile)
    variant = trainer(profile, world, unseen, job)
    close_job(job)
    error = None if variant.artefact is None else read_json(variant.artefact.path / "error.json")
    return {"reconstructor": variant.name, "profile": profile.name, "heldout": error}


def trainer_of(name: str) -> Trainer:
    """What trains the reconstructor called `name`; raises `ConfigurationError` with those known."""
    if name not in TRAINERS:
        raise ConfigurationError(f"no reconstructor {name!r} to train; choose of {', '.join(TRAINERS)}")
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


TRAINERS: dict[str, Trainer] = {"expnet": _expnet, "rnet": _rnet, "texface": _texface}
