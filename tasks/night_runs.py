"""A night in MLflow: opened with what earlier nights say, closed with what this one found."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prefect import task
from prefect.runtime import flow_run

from infra.files import canonical_json, sha256_bytes
from registry.catalogue import list_snapshots
from registry.manifest import Snapshot
from registry.nights import CHAMPION, EXPERIMENT, REGRESSED, WHEN, Night, nights, seen_snapshots, tags_of
from tasks import policies
from tasks.evaluation_results import Evaluated
from tasks.jobs import Job
from tasks.links import flow_run_tags, link_run
from tasks.sources import SIMULATED
from tasks.wiring import open_workspace


class OpenNight(NamedTuple):
    """A night at work: earlier nights (the oldest first), all snapshots' ids, and those new that nobody simulated."""

    job: Job
    when: datetime
    model: str
    profile: str
    history: tuple[Night, ...]
    snapshots: tuple[str, ...]
    fresh: tuple[Snapshot, ...]


@task(name="open night", **policies.REGISTER)
def open_night(model: str, profile: str) -> OpenNight:
    """The run of this night; of the same flow run always the same one.

    Simulated snapshots are made and checked by the flows that use them; on the first night every other one is new.
    """
    workspace, when = open_workspace(), datetime.now(UTC)
    attempt = str(flow_run.get_id() or sha256_bytes(canonical_json([model, profile, when.isoformat()]).encode()))
    told = flow_run_tags(workspace.settings, attempt)
    tags = {"model": model, "profile": profile, WHEN: when.isoformat(), **told}
    name = f"{model} {when:%Y-%m-%d %H:%M} ({profile})"
    run = workspace.tracker.run(EXPERIMENT, name, attempt, job=attempt, tags=tags)
    link_run(workspace, run.run_id, name)
    history = tuple(night for night in nights(workspace.tracker, model, profile) if night.run_id != run.run_id)
    seen = seen_snapshots(workspace.tracker, history[-1]) if history else frozenset[str]()
    listed = list_snapshots(workspace.engine)
    fresh = tuple(each for each in listed if each.id not in seen and not each.data_set.startswith(SIMULATED))
    job = Job(attempt, EXPERIMENT, run.run_id, attempt)
    return OpenNight(job, when, model, profile, history, tuple(each.id for each in listed), fresh)


@task(name="close night", **policies.REGISTER)
def close_night(
    night: OpenNight, evaluated: Evaluated, told: Mapping[str, Any], metrics: Mapping[str, float], page: str
) -> None:
    """Everything that was found, as metrics, data and a page; ends the run."""
    run = open_workspace().tracker.run(EXPERIMENT, "", night.job.key, job=night.job.attempt)
    for name, entry in evaluated.entries.items():
        found = entry.assessed[CHAMPION]
        run.set_tags(tags_of(name, entry.protocol.hash(), found.artefact.key))
        run.log_metrics({f"{name}.{each}": found.figures()[each] for each in ("fused", "fused_low", "fused_high")})
    run.log_metrics(metrics)
    run.log_dict(dict(told), "night.json")
    run.log_text(page, "nightly.html")
    regressed = ",".join(name for name, drop in told["drops"].items() if drop["worse"])
    version = evaluated.asked.versions[CHAMPION].version
    run.set_tags({REGRESSED: regressed, CHAMPION: version, "evaluation": evaluated.job.run_id})
    run.finish()


@task(name="end night badly", **policies.REGISTER)
def fail_night(night: OpenNight, reason: str) -> None:
    """A night that could not be carried out is no part of the history."""
    open_workspace().tracker.run(EXPERIMENT, "", night.job.key, job=night.job.attempt).fail(reason)
