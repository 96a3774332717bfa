"""A job is one request carried out; its runs in MLflow hang under one parent."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from prefect import task
from prefect.runtime import flow_run

from infra.files import canonical_json, sha256_bytes
from infra.fingerprint import code_fingerprint
from infra.profiles import Profile
from models.training.rows import EpochRow, OnEpoch
from registry.catalogue import Snapshot
from registry.runs import Point, TrackedRun
from tasks import policies
from tasks.links import flow_run_tags, link_run
from tasks.live_progress import LiveProgress
from tasks.wiring import Workspace, open_workspace

EXPERIMENT, RECONSTRUCTORS = "recognizer", "reconstructors"


class Job(NamedTuple):
    """`key` is the hash of the request: the same request finds its runs again. `run_id` is the parent run; its runs all
    carry `tags`.
    """

    key: str
    experiment: str
    run_id: str
    attempt: str
    tags: Mapping[str, str] = MappingProxyType({})


@task(name="open job", **policies.REGISTER)
def open_job(
    profile: Profile,
    photos: Snapshot,
    code: tuple[str, ...],
    experiment: str = EXPERIMENT,
    request: Sequence[str] = (),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Job:
    """The parent run in MLflow for this profile on these photos with this code, found again if it is there.

    `request` is what else was asked for; `tags` stand on the run and on all below it.
    """
    workspace = open_workspace()
    asked = [profile.model_dump(), photos.id, code_fingerprint(*code), *request]
    key = sha256_bytes(canonical_json(asked).encode())
    carried = {"profile": profile.name, "snapshot": photos.id, **tags}
    job = _open(workspace, experiment, f"{profile.name} on {photos.name}", key, carried, profile)
    run = workspace.tracker.reopen(job.run_id)
    run.log_dataset(photos.name, photos.id, photos.source, "training", photos.rows)
    return job


@task(name="open job on the face world", **policies.REGISTER)
def open_world_job(profile: Profile, name: str, code: tuple[str, ...]) -> Job:
    """The parent run of a training on simulated photos alone, found again if it is there."""
    workspace = open_workspace()
    key = sha256_bytes(canonical_json([profile.model_dump(), name, code_fingerprint(*code)]).encode())
    tags = {"profile": profile.name, "reconstructor": name}
    return _open(workspace, RECONSTRUCTORS, f"train {name} ({profile.name})", key, tags, profile)


def _open(
    workspace: Workspace, experiment: str, title: str, key: str, tags: Mapping[str, str], profile: Profile
) -> Job:
    """The parent run, linked with its flow run; first what waited is told, and what crashed jobs left is closed."""
    tracker = workspace.tracker
    tracker.reconcile()
    tracker.sweep_lost()
    attempt = str(flow_run.get_id() or key)
    run = tracker.run(experiment, title, key, job=attempt, tags={**tags, **flow_run_tags(workspace.settings, attempt)})
    run.log_params(dotted(profile.model_dump()))
    link_run(workspace, run.run_id, title)
    return Job(key, experiment, run.run_id, attempt, dict(tags))


@task(name="close job", **policies.REGISTER)
def close_job(job: Job) -> None:
    """End the parent run well."""
    workspace = open_workspace()
    workspace.tracker.run(job.experiment, "", job.key, job=job.attempt).finish()


@task(name="open part of a job", **policies.REGISTER)
def open_part(job: Job, name: str, tags: Mapping[str, str]) -> Job:
    """A run of its own under the job's, which has children in turn: one reconstructor of a comparison."""
    key = f"{job.key}/{name}"
    carried = {**job.tags, **tags}
    run = open_workspace().tracker.run(job.experiment, name, key, job=job.attempt, parent=job.run_id, tags=carried)
    return Job(key, job.experiment, run.run_id, job.attempt, {**job.tags, **tags})


def dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """Nested configuration as dotted names."""
    flat: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= dotted(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def child_run(workspace: Workspace, job: Job, name: str, tags: Mapping[str, str] | None = None) -> TrackedRun:
    """The job's run of that name, found again after a crash or a retry; while MLflow is away it waits to be made."""
    carried = {**job.tags, **(tags or {})}
    key = f"{job.key}/{name}"
    return workspace.tracker.run_later(job.experiment, name, key, job=job.attempt, parent=job.run_id, tags=carried)


def live_curve(run: TrackedRun, title: str, epochs: int, announce: Callable[[str], None]) -> OnEpoch:
    """What a training calls after each epoch: one line for people, one point for each curve, a bar in Prefect's UI."""
    bar = LiveProgress(run.job(), title)

    def on_epoch(row: EpochRow) -> None:
        accuracy = "" if row.accuracy is None else f", accuracy {row.accuracy:.3f}"
        announce(
            f"{title}: epoch {row.epoch}/{epochs}, loss {row.loss:.4f}{accuracy}, {row.images_per_second:.0f} images/s"
        )
        run.log_points(_points(row))
        bar.moved(row.epoch, epochs)

    return on_epoch


def curve_of(rows: Sequence[EpochRow]) -> list[dict[str, Any]]:
    """What an artefact keeps of its training; not how fast it went, so that equal trainings give equal bytes."""
    return [{"epoch": row.epoch, "loss": row.loss, "accuracy": row.accuracy} for row in rows]


def complete_curve(run: TrackedRun, curve: Sequence[Mapping[str, Any]]) -> None:
    """Log the epochs a run does not show yet: all of them when the network came ready-made from the store."""
    run.log_points([point for row in curve for point in _learning(row["epoch"], row["loss"], row["accuracy"])])


def _points(row: EpochRow) -> list[Point]:
    speed = Point("train.images_per_second", row.epoch, row.images_per_second)
    return [*_learning(row.epoch, row.loss, row.accuracy), speed]


def _learning(epoch: int, loss: float, accuracy: float | None) -> list[Point]:
    curve = [Point("train.loss", epoch, loss)]
    return curve if accuracy is None else [*curve, Point("train.accuracy", epoch, accuracy)]
