"""Which classifiers are trained on which experiments: the paper's, honest baselines, and what goes beyond the paper."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from infra.profiles.classifiers import ClassifiersConfig
from models.classifiers.design import Design
from tasks.classifier_data import LabelledPhotos
from tasks.classifier_designs import EXPRESSION, EXPRESSION_BY_IMAGE, GENDER, INDIVIDUAL, Experiment
from tasks.classifier_training import Candidate
from tasks.classifiers import Trained, train_classifier, unvisited
from tasks.jobs import Job
from tasks.mesh_tables import MESH

RESNET, LOGISTIC, NEAREST, PHOTOS = "resnet", "logistic regression", "nearest mean", "photos"
PLAIN_MEAN, TEXTURE, SINGLE = "resnet, plain mean", "resnet with texture", "resnet, photos one by one"
TOGETHER, ALONE = "resnet, two tasks", "resnet, one task"
BOTH_PARTS = ("identity", "expression")

Study = dict[str, dict[str, list[Trained]]]
"""By experiment and candidate: one classifier a fold, as far as folds were asked for."""


class Ground(NamedTuple):
    """What every training is given."""

    config: ClassifiersConfig
    seed: int
    job: Job


class Wanted(NamedTuple):
    """One training that is asked for."""

    experiment: str
    candidate: Candidate
    design: Design
    fold: int


def candidates(task: str, confident: bool = True) -> list[Candidate]:
    """The paper's network and the linear baselines on what the paper gives them: alpha, or beta for expressions."""
    parts, depth = (("expression",), 32) if task == EXPRESSION else (("identity",), 34)
    trusted = confident and task != EXPRESSION
    return [
        Candidate(RESNET, "network", parts, trusted, depth),
        Candidate(LOGISTIC, "logistic", parts, trusted),
        Candidate(NEAREST, "nearest mean", parts, trusted),
    ]


def options(task: str) -> list[Candidate]:
    """The paper's network with other pooling or more input."""
    (network, *_) = candidates(task)
    found = [network._replace(name=TEXTURE, parts=(*network.parts, "texture"))]
    return found if task == EXPRESSION else [network._replace(name=PLAIN_MEAN, confident=False), *found]


def wanted(experiments: dict[str, list[Experiment]], config: ClassifiersConfig) -> list[Wanted]:
    """Everything a job trains. Networks on photos are costly and seen on the first folds only, options on the first."""
    found: list[Wanted] = []
    for name, folds in experiments.items():
        for each in folds:
            sets = each.sets.only(each.task)
            found += [Wanted(name, candidate, sets, each.fold) for candidate in candidates(each.task)]
            if each.fold < config.photo_folds:
                found.append(Wanted(name, Candidate(PHOTOS, "photos"), each.photos.only(each.task), each.fold))
        if name != EXPRESSION_BY_IMAGE:
            first = folds[0]
            found += [Wanted(name, each, first.sets.only(first.task), 0) for each in options(first.task)]
        if name == EXPRESSION:
            found += _beyond(folds[0])
    return found


def _beyond(first: Experiment) -> list[Wanted]:
    """Photos without their other views; and expression and gender learnt together, beside each alone."""
    network = candidates(EXPRESSION)[0]
    both = network._replace(name=TOGETHER, parts=BOTH_PARTS)
    alone = both._replace(name=ALONE)
    return [
        Wanted(EXPRESSION, network._replace(name=SINGLE), first.photos.only(EXPRESSION), 0),
        Wanted(EXPRESSION, both, first.sets, 0),
        *(
            Wanted(EXPRESSION, alone._replace(name=f"{ALONE}: {task}"), first.sets.only(task), 0)
            for task in (EXPRESSION, GENDER)
        ),
    ]


def own_wanted(name: str, folds: Sequence[Experiment], config: ClassifiersConfig, first: bool) -> list[Wanted]:
    """What is trained on anybody's photos, described by `name`: a reconstructor, or the raw mesh.

    A network on the mesh's 1,404 numbers would cost far more than it could show. Photos are the same whatever describes
    them: networks see them with the `first` only.
    """
    mesh = name == MESH
    chosen = candidates(INDIVIDUAL, confident=False)
    if mesh:
        chosen = [each._replace(parts=(MESH,)) for each in chosen if each.kind != "network"]
    else:
        chosen.append(Candidate(f"{LOGISTIC}, both parts", "logistic", BOTH_PARTS))
    found = [Wanted(name, candidate, each.sets, each.fold) for each in folds for candidate in chosen]
    if first:
        photos = Candidate(PHOTOS, "photos")
        found += [Wanted(name, photos, each.photos, each.fold) for each in folds[: config.own_photo_folds]]
    return found


def train_all(asked: Sequence[Wanted], data_of: Callable[[str], LabelledPhotos], ground: Ground) -> Study:
    """Train what is asked for, side by side as far as there are workers; the costliest, on photos, start first."""
    order = sorted(asked, key=lambda each: each.candidate.kind != "photos")
    started = [
        train_classifier.submit(
            unvisited(data_of(each.experiment)),
            unvisited(each.design),
            each.candidate,
            ground.config,
            _title(each),
            ground.seed,
            ground.job,
        )
        for each in order
    ]
    study: Study = {}
    by_place = {id(each): future.result() for each, future in zip(order, started, strict=True)}
    for each in asked:
        study.setdefault(each.experiment, {}).setdefault(each.candidate.name, []).append(by_place[id(each)])
    return study


def data_set_of(experiment: str) -> str:
    """Which photos an experiment is about."""
    return "fei" if experiment == GENDER else "kdef"


def _title(each: Wanted) -> str:
    fold = f", fold {each.fold + 1}" if each.fold else ""
    return f"{each.experiment}: {each.candidate.name}{fold}"
