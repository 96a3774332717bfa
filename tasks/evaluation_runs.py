"""An evaluation of several versions in MLflow: one run for all, below it one a benchmark, below that one a version."""

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.runtime import flow_run

from infra.files import canonical_json, sha256_bytes
from infra.fingerprint import code_fingerprint
from infra.profiles import Profile
from registry.runs import TrackedRun
from tasks import policies
from tasks.assess import VARIANT, Assessment
from tasks.champion import Champion
from tasks.contenders import Contenders
from tasks.evaluate_scans import EXPERIMENT
from tasks.jobs import Job, dotted
from tasks.links import flow_run_tags, link_run
from tasks.present import Present
from tasks.tables import DATA
from tasks.wiring import open_workspace

FILES = ("scores.parquet", "probes.csv", "details.json")
_DIFFERENCE = ("only_first", "only_second", "exact_p", "clustered_p")


@task(name="open evaluation", **policies.REGISTER)
def open_evaluation(profile: Profile, asked: Contenders, found: Present, code: tuple[str, ...]) -> Job:
    """The run of this evaluation, found again while versions, benchmarks and code are the same."""
    versions = {role: version.sha256 for role, version in asked.versions.items()}
    protocols = {name: [each.protocol.hash(), each.snapshot.id] for name, each in found.benchmarks.items()}
    request = [asked.model, profile.model_dump(), versions, protocols, code_fingerprint(*code)]
    key = sha256_bytes(canonical_json(request).encode())
    attempt = str(flow_run.get_id() or key)
    workspace = open_workspace()
    tags = {"model": asked.model, "profile": profile.name, "kind": "all", **flow_run_tags(workspace.settings, attempt)}
    tags |= {role: version.version for role, version in asked.versions.items()}
    name = f"{asked.model} {asked.versions['champion'].version} on all ({profile.name})"
    run = workspace.tracker.run(EXPERIMENT, name, key, job=attempt, tags=tags)
    run.log_params({"seed": profile.seed, **dotted({"model": versions})})
    link_run(workspace, run.run_id, name)
    return Job(key, EXPERIMENT, run.run_id, attempt)


@task(name="log assessment", **policies.REGISTER)
def log_assessment(part: Job, benchmark: str, data: str, role: str, version: Champion, found: Assessment) -> str:
    """A version's figures on one benchmark, with its score file; returns the run's id. Logged once."""
    workspace = open_workspace()
    tags = {"model": version.name, "version": version.version, "role": role, "benchmark": benchmark}
    tags |= {"model_sha256": version.sha256, DATA + benchmark: data}
    name, key = f"{version.name} {version.version} on {benchmark}", f"{part.key}/{found.artefact.key}"
    run = workspace.tracker.run(part.experiment, name, key, job=part.attempt, parent=part.run_id, tags=tags)
    figures = found.figures()
    if not run.metrics().keys() >= figures.keys():  # metrics come last: where they are, the files are too
        for file in FILES:
            run.log_file(found.artefact.path / f"{VARIANT}.{file}")
        run.log_metrics(figures)
    run.finish()
    return run.run_id


@task(name="refuse benchmark", **policies.REGISTER)
def refuse_part(job: Job, name: str, reason: str) -> None:
    """End the run of a benchmark that could not be used, with why."""
    key = f"{job.key}/{name}"
    open_workspace().tracker.run(job.experiment, name, key, job=job.attempt, parent=job.run_id).fail(reason)


@task(name="log benchmark", **policies.REGISTER)
def log_benchmark(part: Job, entry: Mapping[str, Any]) -> None:
    """How large a benchmark is, and how its versions differ on the same probes; ends its run."""
    run = _reopened(part)
    run.log_params({"protocol": entry["protocol"], "data": entry["data"]})
    run.log_metrics({name: float(entry[name]) for name in ("gallery", "probes", "failures")})
    for name, pair in entry["paired"].items():
        run.log_metrics(flat_pair(name, pair))
    run.log_dict(dict(entry), "benchmark.json")
    run.finish()


@task(name="log evaluation", **policies.REGISTER)
def log_evaluation(job: Job, results: Mapping[str, Any], page: str) -> None:
    """Everything as data and as a page; ends the run."""
    run = _reopened(job)
    for name, entry in results["benchmarks"].items():
        for role, found in entry["versions"].items():
            run.log_metrics({f"{name}.{role}.{axis}": found[axis] for axis in ("x", "y", "z", "fused")})
    run.log_dict(dict(results), "evaluation.json")
    run.log_text(page, "evaluation.html")
    run.finish()


def flat_pair(name: str, pair: Mapping[str, Any]) -> dict[str, float]:
    """A comparison as metrics: `<first>-<second>.difference`, its interval, and the tests."""
    difference = pair["difference"]
    found = {"difference": difference["value"], "low": difference["low"], "high": difference["high"]}
    return {f"{name}.{each}": float(value) for each, value in {**found, **{n: pair[n] for n in _DIFFERENCE}}.items()}


def _reopened(job: Job) -> TrackedRun:
    return open_workspace().tracker.run(job.experiment, "", job.key, job=job.attempt)
