"""Paper B: photos to coefficients to classifiers of individuals, gender and expression, beside honest baselines."""

from pathlib import Path
from typing import Any, NamedTuple

from prefect import flow

from flows.parameters import ClassifiersRequest
from flows.promote import compete
from flows.reconstructor import photo_network
from infra.profiles import Profile, load_profile
from infra.profiles.rnet import RNetConfig
from infra.store import Artefact
from models.morphable.builtin import LICENCE
from tasks import policies
from tasks.align import align_photos
from tasks.classifier_data import LabelledPhotos, fei_photos, kdef_photos, records_of
from tasks.classifier_designs import TASKS, all_experiments
from tasks.classifier_effects import leakage_figures, option_figures
from tasks.classifier_release import export_trained, outcomes_of, register_classifier
from tasks.classifier_report import report_classifiers
from tasks.classifier_results import confusion_figures, photo_figures, reliability_of, tables, task_figures
from tasks.classifier_study import RESNET, Ground, Study, data_set_of, train_all, wanted
from tasks.classifiers import EXPERIMENT, few_at_once, unvisited
from tasks.cnet import train_cnet, view_world
from tasks.coefficient_tables import tabulate
from tasks.faces import coefficients_of
from tasks.gather import Photos
from tasks.jobs import Job, open_job
from tasks.promotion import Released
from tasks.rnet import train_rnet
from tasks.synthesise import synthesise_photos
from tasks.validate import require_valid_coefficients, require_valid_photos, require_valid_world
from tasks.variants import Variant
from tasks.wiring import open_workspace

CODE = ("flows.classifiers",)
Figures = dict[str, Any]


class PooledReconstructor(NamedTuple):
    """A trained R-Net and the C-Net on top of it."""

    rnet: Variant
    cnet: Artefact


@flow(name="train-classifiers", **policies.TRAINING, task_runner=few_at_once())
def train_classifiers(request: ClassifiersRequest) -> Figures:
    """Train, measure and register the classifiers of paper B; returns what `classifiers.json` says."""
    profile = load_profile(request.profile)
    kdef = kdef_photos(request.kdef, profile, request.licence)
    fei = fei_photos(request.fei, request.genders, profile, request.licence)
    job = open_job(profile, kdef.snapshot, CODE, EXPERIMENT, (fei.snapshot.id,))
    for photos in (kdef, fei):
        require_valid_photos(photos, job)
    reconstructor = train_reconstructor(profile, job)
    data = {name: describe(photos, reconstructor, profile, job) for name, photos in (("kdef", kdef), ("fei", fei))}
    experiments = all_experiments(data["kdef"].records, data["fei"].records, profile.classifiers, profile.seed)
    asked = wanted(experiments, profile.classifiers)
    ground = Ground(profile.classifiers, profile.seed, job)
    study = train_all(asked, lambda name: data[data_set_of(name)], ground)
    results = figures(profile, data, study, "real photos" if request.kdef else "simulated KDEF and FEI (face world)")
    released = [release(task, study, results, profile, data, job) for task in TASKS]
    results["registered"] = [each._asdict() for each in released]
    curves = {task: reliability_of(study[task][RESNET], profile.seed) for task in TASKS}
    folder = output_folder(request.kdef, profile)
    return report_classifiers(folder, results, {name: each for name, each in curves.items() if each}, job)


def train_reconstructor(profile: Profile, job: Job) -> PooledReconstructor:
    """R-Net and C-Net, on simulated photos that turn as far as those of KDEF and FEI do."""
    seed, config = profile.seed, profile.cnet
    world = profile.expnet.world.model_copy(update={"yaw_spread_deg": profile.classifiers.yaw_spread_deg})
    people = synthesise_photos(world, "reconstruction", seed)
    others = world.model_copy(update={"people": profile.expnet.held_out_people})
    held_out = synthesise_photos(others, "heldout", seed)
    looks = photo_network(profile, job) if rnet_config(profile).weights.perceptual > 0 else None
    views, unseen = (
        synthesise_photos(view_world(world, config, count), split, seed + 1)
        for count, split in ((config.people, "reconstruction"), (config.held_out_people, "heldout"))
    )
    topics = {"world": people, "world-held-out": held_out, "views": views, "views-held-out": unseen}
    for topic, photos in topics.items():
        require_valid_world(photos, topic, job)
    rnet = train_rnet(people, held_out, rnet_config(profile), seed, job, looks)
    cnet = train_cnet(rnet, views, unseen, config, seed, job)
    return PooledReconstructor(Variant("rnet", rnet.artefact, data=tuple(rnet.data)), cnet.artefact)


def rnet_config(profile: Profile) -> RNetConfig:
    """How the R-Net of the classifiers is trained."""
    return profile.classifiers.rnet or profile.rnet


def describe(photos: Photos, reconstructor: PooledReconstructor, profile: Profile, job: Job) -> LabelledPhotos:
    """Crops for the image baselines, and coefficients with C-Net's confidences."""
    pixels = rnet_config(profile).pixels
    crops = align_photos(photos.snapshot, photos.root, profile.classifiers.photo_pixels, pixels)
    faces = coefficients_of(crops, photos.root, pixels, reconstructor.rnet)
    require_valid_coefficients(faces, job)
    return LabelledPhotos(photos, records_of(photos), crops, tabulate(faces, reconstructor.cnet))


def figures(profile: Profile, data: dict[str, LabelledPhotos], study: Study, source: str) -> Figures:
    """Everything that is measured, as data."""
    seed = profile.seed
    tasks = {name: task_figures(study, name, seed) for name in study}
    return {
        "profile": profile.name,
        "data": source,
        "photos": {name: photo_figures(each) for name, each in data.items()},
        "tasks": tasks,
        "tables": tables(tasks, confusion_figures(study, "expression", seed)),
        "leakage": leakage_figures(tasks),
        "options": option_figures(study, seed),
    }


def release(
    task: str, study: Study, results: Figures, profile: Profile, data: dict[str, LabelledPhotos], job: Job
) -> Released:
    """The network of the first fold, judged by the figures of all folds."""
    config = profile.classifiers
    trained = unvisited(study[task][RESNET][0])
    shown = data[data_set_of(task)]
    licences = {"photos": shown.photos.snapshot.licence, "face model": LICENCE}
    exported = export_trained(trained, shown.table)
    model = f"{task}{config.name_suffix}"
    outcomes = unvisited(outcomes_of(study[task][RESNET]))
    figures = results["tasks"][task]
    version = register_classifier(trained, exported, figures, outcomes, config.gate, licences, model, job)
    return compete(model, version.version)


def output_folder(kdef: Path | None, profile: Profile) -> Path:
    """`<home>/<profile>`, with the photos' folder name where they are the user's own."""
    return open_workspace().home / (profile.name if kdef is None else f"{profile.name}-{kdef.absolute().name}")
