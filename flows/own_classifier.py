"""Individual classification on anybody's photos: coefficients of several reconstructors beside the raw mesh."""

from pathlib import Path
from typing import Any

from prefect import flow

from flows.parameters import OwnClassifierRequest
from infra.profiles import Profile, load_profile
from tasks import policies
from tasks.align import Crops, align_photos
from tasks.classifier_data import LabelledPhotos, records_of
from tasks.classifier_designs import own_experiments
from tasks.classifier_report import report_classifiers
from tasks.classifier_results import photo_figures, reliability_of, task_figures, telling_apart
from tasks.classifier_study import RESNET, Ground, Study, own_wanted, train_all
from tasks.classifiers import EXPERIMENT, few_at_once
from tasks.coefficient_tables import tabulate
from tasks.faces import coefficients_of
from tasks.gather import Photos, own_photos
from tasks.jobs import Job, open_job
from tasks.mesh_tables import MESH, tabulate_meshes
from tasks.stored import stored_variant
from tasks.validate import require_valid_coefficients, require_valid_photos
from tasks.wiring import open_workspace

CODE = ("flows.own_classifier",)
Figures = dict[str, Any]


@flow(name="train-own-classifier", **policies.TRAINING, task_runner=few_at_once())
def train_own_classifier(request: OwnClassifierRequest) -> Figures:
    """Tell the people of a folder apart, cross-validated over their photos; returns what `classifiers.json` says."""
    profile = load_profile(request.profile)
    names = request.reconstructors.split(",")
    photos = own_photos(request.photos, request.licence)
    job = open_job(profile, photos.snapshot, CODE, EXPERIMENT, names)
    require_valid_photos(photos, job)
    crops = align_photos(photos.snapshot, photos.root, profile.classifiers.photo_pixels, profile.rnet.pixels)
    data = {name: described(photos, crops, name, profile, job) for name in (*names, MESH)}
    ground = Ground(profile.classifiers, profile.seed, job)
    folds = own_experiments(records_of(photos), request.folds, profile.seed)
    asked = [each for name in data for each in own_wanted(name, folds, profile.classifiers, name == names[0])]
    study = train_all(asked, data.__getitem__, ground)
    results = figures(profile, data, study)
    curves = {name: reliability_of(each[RESNET], profile.seed) for name, each in study.items() if RESNET in each}
    shown = {name: each for name, each in curves.items() if each}
    return report_classifiers(output_folder(request), results, shown, job)


def output_folder(request: OwnClassifierRequest) -> Path:
    """`<home>/<profile>-<name of the photos' folder>`."""
    return open_workspace().home / f"{load_profile(request.profile).name}-{request.photos.absolute().name}"


def described(photos: Photos, crops: Crops, name: str, profile: Profile, job: Job) -> LabelledPhotos:
    """What one reconstructor says of the photos, or the raw mesh."""
    if name == MESH:
        return LabelledPhotos(photos, records_of(photos), crops, tabulate_meshes(crops, photos.root))
    faces = coefficients_of(crops, photos.root, profile.rnet.pixels, stored_variant(name))
    require_valid_coefficients(faces, job)
    return LabelledPhotos(photos, records_of(photos), crops, tabulate(faces, None))


def figures(profile: Profile, data: dict[str, LabelledPhotos], study: Study) -> Figures:
    """Accuracies, and how well single numbers tell people apart: what limits a classifier on them."""
    (first, *_) = data.values()
    return {
        "profile": profile.name,
        "data": first.photos.snapshot.name,
        "photos": {name: photo_figures(each) for name, each in data.items()},
        "tasks": {name: task_figures(study, name, profile.seed) for name in study},
        "telling_apart": {name: telling_apart(each) for name, each in data.items()},
        "registered": [],
    }
