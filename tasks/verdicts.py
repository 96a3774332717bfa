"""Where validations go: the store, a job's page and its run in MLflow, Prefect's artifacts, one line of error."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact

from expectations.report import Validation, page_of, validation_from
from infra.files import atomic_write_text
from models.errors import ValidationFailed
from tasks.files import read_json, write_json
from tasks.jobs import Job
from tasks.stages import Input, make
from tasks.wiring import Workspace

SUITES = [
    f"expectations.{name}"
    for name in ("manifest", "files", "blocks", "photos", "scans", "coefficients", "normal_images", "embeddings")
]
ORDER = (
    *("photos", "world", "world-held-out", "views", "views-held-out", "coefficients", "photo-normals"),
    *("scans", "scan-normals", "embeddings"),
)
"""The topics of validations as they follow each other in a flow."""
PAGE = "validation.html"


def require_passed(
    workspace: Workspace,
    topic: str,
    inputs: Sequence[Input],
    config: dict[str, Any],
    code: Sequence[str],
    look: Callable[[], Validation],
    job: Job,
) -> Validation:
    """What `look` says, asked once for the same inputs; told to whoever wants to know it.

    Raises `ValidationFailed` with the first failing expectation and its first rows where it refuses.
    """
    validation = verdict(workspace, topic, inputs, config, code, look)
    page = keep(workspace, validation, job)
    key = f"{topic}-validation"
    create_markdown_artifact(validation.to_markdown(), key=key, description=validation.about)
    if not validation.passed:
        raise ValidationFailed(f"{validation.about}: {validation.first_failure()}; {page} lists all")
    return validation


def verdict(
    workspace: Workspace,
    topic: str,
    inputs: Sequence[Input],
    config: dict[str, Any],
    code: Sequence[str],
    look: Callable[[], Validation],
) -> Validation:
    """What `look` says of these inputs, an artefact like any other: asked again only when they or the suites change."""

    def build(folder: Path, _: Path) -> None:
        write_json(folder / "validation.json", look().as_dict())

    made = make(workspace, "validation", inputs, {"topic": topic, **config}, [*SUITES, *code], build)
    return validation_from(read_json(made.path / "validation.json"))


def keep(workspace: Workspace, validation: Validation, job: Job) -> Path:
    """Add a validation to the job's page, and both to its run in MLflow, which fails where the validation does.

    Returns the page; a later validation of the same job adds to it.
    """
    folder = workspace.home / "validation" / job.key
    write_json(folder / f"{validation.topic}.json", validation.as_dict())
    page = page_of("Validation", _told(folder))
    atomic_write_text(folder / PAGE, page)
    run = workspace.tracker.run(job.experiment, "", job.key, job=job.attempt)
    run.log_metrics(validation.metrics())
    run.log_dict(validation.as_dict(), f"validation/{validation.topic}.json")
    run.log_text(page, PAGE)
    if not validation.passed:
        run.fail(f"validation: {validation.first_failure()}")
    return folder / PAGE


def _told(folder: Path) -> list[Validation]:
    """All validations of a job so far, in the order of the work."""
    known = [validation_from(read_json(path)) for path in folder.glob("*.json")]
    place = {topic: number for number, topic in enumerate(ORDER)}
    return sorted(known, key=lambda each: (place.get(each.topic, len(ORDER)), each.topic))
