"""What a study says of its choices: how much a split by image flatters, and what each option changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.classifiers.scoring import Answered
from models.metrics.intervals import paired_interval
from tasks.classifier_designs import EXPRESSION, EXPRESSION_BY_IMAGE, GENDER, TASKS
from tasks.classifier_results import MODELS, scores_of
from tasks.classifier_study import ALONE, PLAIN_MEAN, RESNET, SINGLE, TEXTURE, TOGETHER, Study
from tasks.classifiers import Trained

Figures = dict[str, Any]


def option_figures(study: Study, seed: int) -> Figures:
    """Each option beside doing without it, on the same inputs of the first fold; the effect is over these, in pairs."""

    def effect(experiment: str, without: str, with_it: str, task: str | None = None) -> Figures:
        here = study[experiment]
        return _effect(here[without][0], here[with_it][0], seed, task)

    return {
        "texture": {task: effect(task, RESNET, TEXTURE) for task in TASKS},
        "pooling": {task: effect(task, PLAIN_MEAN, RESNET) for task in TASKS if PLAIN_MEAN in study[task]},
        "views": {EXPRESSION: effect(EXPRESSION, SINGLE, RESNET)},
        "multi_task": {task: effect(EXPRESSION, f"{ALONE}: {task}", TOGETHER, task) for task in (EXPRESSION, GENDER)},
        "calibration": {task: _calibration(study[task][RESNET], seed) for task in TASKS},
    }


def leakage_figures(tasks: Mapping[str, Figures]) -> Figures:
    """Accuracy on expressions where people are on both sides, and where nobody is, with its interval."""
    rows = {}
    for name in MODELS:
        sides = [tasks[split]["models"].get(name) for split in (EXPRESSION_BY_IMAGE, EXPRESSION)]
        if all(sides):
            by_image, by_subject = (
                {which: side[which] for which in ("accuracy", "low", "high")} for side in sides if side
            )
            leak = by_image["accuracy"] - by_subject["accuracy"]
            rows[name] = {"by_image": by_image, "by_subject": by_subject, "leak": leak}
    return rows


def _effect(without: Trained, with_it: Trained, seed: int, task: str | None = None) -> Figures:
    """Accuracies of two classifiers of the same inputs, and their difference with its interval over people."""
    first, second = (_answered(each, task) for each in (without, with_it))
    hits = [each.answers() == each.truth for each in (second, first)]
    difference = paired_interval(hits[0], hits[1], first.subjects, seed)
    return {
        "without": float(hits[1].mean()),
        "with": float(hits[0].mean()),
        "effect": difference.value,
        "low": difference.low,
        "high": difference.high,
    }


def _answered(trained: Trained, task: str | None) -> Answered:
    return trained.answered(0 if task is None else list(trained.design.tasks).index(task))


def _calibration(trained: Sequence[Trained], seed: int) -> Figures:
    """Calibration errors of the probabilities as they come, and at a temperature."""
    found = scores_of(trained, seed).figures()
    return {name: found[name] for name in ("ece", "ece_calibrated")}
