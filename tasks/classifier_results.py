"""What a study comes to, as data: the figures of every candidate, and paper B's three tables with ours beside."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.classifiers.scoring import Answered, Scores, score, voted
from models.classifiers.table import within_scatter
from models.metrics.classification import balance
from models.metrics.intervals import paired_interval
from models.metrics.verification import verification_auc
from tasks.classifier_data import LabelledPhotos
from tasks.classifier_study import LOGISTIC, NEAREST, PHOTOS, RESNET, Study
from tasks.classifiers import Trained
from tasks.mesh_tables import MESH
from tasks.paper_b import PAPER

PHOTOS_VOTED = "photos, voted"
OPTIONS = f"{RESNET}, ", f"{RESNET} with"
MODELS = (RESNET, LOGISTIC, NEAREST, PHOTOS, PHOTOS_VOTED)
Figures = dict[str, Any]


def task_figures(study: Study, experiment: str, seed: int) -> Figures:
    """One experiment: its inputs and classes, and the figures of every candidate."""
    found = study[experiment]
    (first, *_) = found.values()
    design = first[0].design
    ((task, labels),) = design.tasks.items()
    even = balance(design.training.answers[:, 0], len(labels))
    models = {name: _model(trained, seed) for name, trained in found.items() if not name.startswith(OPTIONS)}
    if PHOTOS in found and RESNET in found:
        models[PHOTOS_VOTED] = {**score(_votes(found), len(labels), seed).figures(), "seconds_per_input": None}
        models[RESNET]["gain_over_photos"] = _gain_over_photos(found, seed)
        models[RESNET]["gain_over_voted_photos"] = _gain_over_votes(found, seed)
    return {
        "task": task,
        "labels": list(labels),
        "protocols": [each.design.protocol for each in first],
        "training_inputs": len(design.training.photos),
        "validation_inputs": len(design.validation.photos),
        "class_balance": {
            "training_inputs": dict(zip(labels, even.counts, strict=True)),
            "largest_share": even.largest_share,
            "largest_over_smallest": even.ratio if np.isfinite(even.ratio) else None,
        },
        "models": models,
    }


def confusion_figures(study: Study, experiment: str, seed: int) -> Figures:
    """Counts over all folds by true class and answer, and shares of each true class."""
    trained = study[experiment][RESNET]
    found = scores_of(trained, seed).confusion
    ((_, labels),) = trained[0].design.tasks.items()
    return {
        "labels": list(labels),
        "counts": found.counts.tolist(),
        "unanswered": found.unanswered.tolist(),
        "shares": found.shares().round(4).tolist(),
    }


def reliability_of(trained: Sequence[Trained], seed: int) -> Figures | None:
    """The reliability diagram of a classifier over its folds, filled bins only."""
    found = scores_of(trained, seed).reliability
    if found is None:
        return None
    filled = found.inputs > 0
    return {name: getattr(found, name)[filled].tolist() for name in ("confidence", "accuracy", "inputs")}


def telling_apart(data: LabelledPhotos) -> Figures:
    """What a classifier of people has to go by, in their coefficients (or mesh) as they come.

    `auc` is how well single vectors tell pairs of one person from pairs of two; `between_over_within` the median over
    numbers of the variance between people over that between photos of one.
    """
    table = data.table.read()
    (values, *_) = (table.part(name) for name in ("identity", MESH) if name in table.parts)
    subjects = {record.path: str(record.subject) for record in data.records}
    who = [subjects[path] for path in table.paths]
    within = within_scatter(values, who).astype(np.float64) ** 2
    between = np.maximum(values.var(axis=0, dtype=np.float64) - within, 0)
    ratio = np.median(between[within > 0] / within[within > 0])
    return {"numbers": values.shape[1], "auc": verification_auc(values, who), "between_over_within": float(ratio)}


def photo_figures(data: LabelledPhotos) -> Figures:
    """A collection: its snapshot, and photos that gave no coefficients."""
    snapshot = data.photos.snapshot
    known = data.table.source
    return {
        "name": snapshot.name,
        "snapshot": snapshot.id,
        "count": snapshot.rows,
        "failures": len(data.table.failures),
        "coefficients": data.table.artefact.key,
        **known._asdict(),
    }


def scores_of(trained: Sequence[Trained], seed: int) -> Scores:
    """Figures of one candidate over its folds, on its first task."""
    labels = next(iter(trained[0].design.tasks.values()))
    return score([each.answered() for each in trained], len(labels), seed)


def _model(trained: Sequence[Trained], seed: int) -> Figures:
    return {**scores_of(trained, seed).figures(), "seconds_per_input": trained[0].seconds_per_input}


def _votes(found: Mapping[str, Sequence[Trained]]) -> list[Answered]:
    """The image baseline's answers to the sets that the network is given, on the folds that it was trained on."""
    pairs = zip(found[PHOTOS], found[RESNET], strict=False)
    return [voted(photos.by_photo(), sets.design.validation) for photos, sets in pairs]


def _gain_over_photos(found: Mapping[str, Sequence[Trained]], seed: int) -> float:
    """Accuracy beyond that of the photos one by one, on those folds on which networks saw photos."""
    ours = found[RESNET][: len(found[PHOTOS])]
    return scores_of(ours, seed).accuracy.value - scores_of(found[PHOTOS], seed).accuracy.value


def _gain_over_votes(found: Mapping[str, Sequence[Trained]], seed: int) -> Figures:
    """How much oftener the network is right than the vote of the photos, on the same inputs."""
    votes = _votes(found)
    ours = [each.answered() for each in found[RESNET][: len(votes)]]
    first, second = (np.concatenate([each.answers() == each.truth for each in side]) for side in (ours, votes))
    interval = paired_interval(first, second, [who for each in ours for who in each.subjects], seed)
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def tables(tasks: Mapping[str, Figures], confusion: Figures) -> Figures:
    """Tables 1 to 3 with the paper's figures beside ours."""
    accuracy = {
        name: {
            "ours": {model: row["accuracy"] for model, row in tasks[name]["models"].items()},
            "interval": {model: [row["low"], row["high"]] for model, row in tasks[name]["models"].items()},
            "paper": PAPER["accuracy"][tasks[name]["task"]],
        }
        for name in tasks
    }
    seconds = {name: _seconds(tasks[name]) for name in tasks}
    return {"1": accuracy, "2": seconds, "3": {"ours": confusion, "paper": PAPER["confusion"]}}


def _seconds(found: Figures) -> Figures:
    ours = {name: found["models"].get(name, {}).get("seconds_per_input") for name in (PHOTOS, RESNET)}
    ratio = ours[PHOTOS] / ours[RESNET] if ours[PHOTOS] and ours[RESNET] else None
    return {"ours": ours, "times_faster": ratio, "paper": PAPER["seconds_per_input"][found["task"]]}
