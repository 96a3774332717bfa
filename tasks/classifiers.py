"""Classifiers trained and tracked: each candidate on each design is an artefact and a run of its own."""

from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from prefect import task
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from infra.profiles.classifiers import ClassifiersConfig, ClassifierTrainingConfig
from infra.settings import usable_cores
from infra.store import Artefact
from models.classifiers.design import Design
from models.classifiers.scoring import Answered, Scores, score
from models.metrics.classification import balance
from tasks import policies
from tasks.classifier_data import LabelledPhotos
from tasks.classifier_training import HISTORY, SECONDS, Candidate, Training, read_predictions
from tasks.coefficient_tables import TABLE
from tasks.files import read_json
from tasks.fit_classifier import fit
from tasks.jobs import Job, child_run, complete_curve
from tasks.pool import run_apart
from tasks.recogniser import threads_each
from tasks.stages import make, seconds_of
from tasks.wiring import Workspace, open_workspace

CODE = ["tasks.fit_classifier"]
EXPERIMENT = "classifiers"
AT_ONCE = min(6, len(usable_cores()) + 2)
Value = TypeVar("Value")


class Trained(NamedTuple):
    """A classifier on disk, what it was judged on, and the seconds that its training took for one input once."""

    candidate: Candidate
    design: Design
    artefact: Artefact
    seconds_per_input: float | None

    def answered(self, task: int = 0) -> Answered:
        """What it answered to one of its tasks."""
        logits, kept = read_predictions(self.artefact.path)
        side = self.design.validation
        return Answered(logits[task].astype(float), kept, side.subjects, side.answers[:, task])

    def by_photo(self) -> dict[str, Any]:
        """Logits of each photo that was answered; for designs of photos one by one."""
        logits, kept = read_predictions(self.artefact.path)
        photos = self.design.validation.photos
        return {photos[place][0]: row for place, row in zip(kept, logits[0].astype(float), strict=True)}


def few_at_once() -> Any:
    """Runs a flow's submitted tasks in a few threads: each training under way holds connections to MLflow."""
    return ThreadPoolTaskRunner(max_workers=AT_ONCE)


def unvisited(argument: Value) -> Value:
    """`argument` to a task without Prefect looking for futures in it, which takes seconds in thousands of tuples."""
    return cast(Value, quote(argument))


@task(name="train classifier", **policies.STAGE)
def train_classifier(
    data: LabelledPhotos,
    design: Design,
    candidate: Candidate,
    config: ClassifiersConfig,
    name: str,
    seed: int,
    job: Job,
) -> Trained:
    """Train in a process of its own; parameters, curve and figures go to the classifier's own run."""
    return trained_classifier(open_workspace(), data, design, candidate, config, name, seed, job)


def trained_classifier(
    workspace: Workspace,
    data: LabelledPhotos,
    design: Design,
    candidate: Candidate,
    config: ClassifiersConfig,
    name: str,
    seed: int,
    job: Job,
) -> Trained:
    """What `train_classifier` does, in a given workspace."""
    numbers = _numbers(candidate, config)
    threads = threads_each(len(usable_cores()))
    training = Training(
        name,
        candidate,
        design,
        data.table.artefact.path / TABLE,
        tuple(shard.path for shard in data.crops.shards),
        numbers,
        config.variation,
        seed,
        run_id="",
        threads=threads,
    )
    settings = _settings(training)
    run = child_run(workspace, job, name, tags={"candidate": candidate.name, "kind": candidate.kind})
    run.log_params(settings | _sizes(design))

    def build(folder: Path, scratch: Path) -> float | None:
        run_apart(workspace.settings.workers, fit, folder, scratch, training._replace(run_id=run.run_id))
        told = scratch / SECONDS
        return float(read_json(told)) if told.is_file() else None

    inputs = data.crops.shards if candidate.kind == "photos" else [data.table.artefact]
    made = make(workspace, "classifier", inputs, settings, CODE, build)
    if (made.path / HISTORY).is_file():
        complete_curve(run, read_json(made.path / HISTORY))
    trained = Trained(candidate, design, made, _per_input(workspace, made, training))
    for place, (task_name, answers) in enumerate(design.tasks.items()):
        run.log_metrics(_logged(task_name, score([trained.answered(place)], len(answers), seed)))
    if trained.seconds_per_input is not None:
        run.log_metrics({"train.seconds_per_input": trained.seconds_per_input})
    run.finish()
    return trained


def _logged(task_name: str, scores: Scores) -> dict[str, float]:
    figures = {name: value for name, value in scores.figures().items() if isinstance(value, int | float)}
    return {f"{task_name}.{name}": float(value) for name, value in figures.items()}


def _numbers(candidate: Candidate, config: ClassifiersConfig) -> ClassifierTrainingConfig:
    if candidate.kind == "photos":
        return config.photos
    return config.resnet34 if candidate.depth == 34 else config.resnet32


def _settings(training: Training) -> dict[str, Any]:
    """What the result depends on beside coefficients or photos."""
    candidate = training.candidate
    common = {"kind": candidate.kind, "design": training.design.digest(), "seed": training.seed}
    if candidate.kind == "photos":
        return common | training.numbers.model_dump()
    taken = common | {"parts": list(candidate.parts), "confident": candidate.confident}
    if candidate.kind != "network":
        return taken
    return taken | {"depth": candidate.depth} | training.numbers.model_dump() | training.variation.model_dump()


def _sizes(design: Design) -> dict[str, object]:
    """How many inputs there are, and how evenly the classes are filled."""
    ((task_name, answers), *_) = design.tasks.items()
    even = balance(design.training.answers[:, 0], len(answers))
    return {
        "task": task_name,
        "classes": len(answers),
        "training_inputs": len(design.training.photos),
        "validation_inputs": len(design.validation.photos),
        "largest_class_share": round(even.largest_share, 4),
    }


def _per_input(workspace: Workspace, made: Artefact, training: Training) -> float | None:
    """Seconds of training over the inputs of all epochs; None for what has no epochs."""
    if training.candidate.kind in ("logistic", "nearest mean"):
        return None
    seconds = seconds_of(workspace, made)
    rows = len(training.design.training.photos) * training.epochs
    return None if seconds is None else seconds / rows
