"""What a night leaves: night.json, a page with the history, artifacts in Prefect, and events for what is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from infra.files import atomic_write_text, canonical_json
from registry.manifest import Snapshot
from registry.nights import CHAMPION, Night
from tasks import policies
from tasks.drift import Drift
from tasks.drops import Fall
from tasks.evaluation_page import benchmark_sections, page_of
from tasks.evaluation_report import as_table
from tasks.evaluation_results import Evaluated
from tasks.events import DRIFTED, REGRESSED, tell
from tasks.files import write_json
from tasks.links import link_file
from tasks.night_data import Checked
from tasks.night_page import SHOWN, chips_of, night_sections
from tasks.night_runs import OpenNight, close_night
from tasks.wiring import open_workspace


@task(name="report night", **policies.REGISTER)
def report_night(
    night: OpenNight,
    evaluated: Evaluated,
    falls: Mapping[str, Fall],
    checked: Sequence[Checked],
    drifts: Sequence[Drift],
) -> dict[str, Any]:
    """Write and log everything; returns what `night.json` says, with the page's path."""
    results = evaluated.as_data()
    told = as_told(night, evaluated, falls, checked, drifts)
    folder = output_folder(night)
    sections = night_sections(told) + benchmark_sections(results)
    recent = list(reversed(told["nights"]))[:SHOWN]
    runs = {"night": night.job.run_id, **{f"night of {each['when'][:16]}": each["run_id"] for each in recent[1:]}}
    page = page_of(f"{night.model}, night of {night.when:%Y-%m-%d}", results, sections, chips_of(told), runs)
    write_json(folder / "night.json", told)
    atomic_write_text(folder / "nightly.html", page)
    files = {f"snapshot.{each.snapshot.id[:12]}.files": float(each.snapshot.rows) for each in checked}
    close_night.fn(night, evaluated, told, metrics_of(falls, drifts) | files, page)
    _show(told, results)
    return {**told, "page": str(folder / "nightly.html")}


@task(name="raise alarms", **policies.REGISTER)
def raise_alarms(told: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    """Tell Prefect of a champion that has become worse, once for each champion, and of data that has drifted.

    `request` is what the training is to be asked for; automations fill the text of it in.
    """
    if told["retrain"]:
        tell(
            REGRESSED,
            told["model"],
            version=told["version"],
            benchmarks=", ".join(_worse(told)),
            run=told["run_id"],
            request=canonical_json(request),
        )
    for drift in told["drifts"]:
        if drift["drifted"]:
            tell(DRIFTED, told["model"], snapshot=drift["snapshot"], about=drift["about"], run=told["run_id"])


@task(name="raise alarm of a broken champion", **policies.REGISTER)
def raise_broken(night: OpenNight, reason: str, request: Mapping[str, Any]) -> None:
    """Tell Prefect of a champion that could not even be measured: nothing is worse than that."""
    known = {"version": "", "benchmarks": reason, "run": night.job.run_id}
    tell(REGRESSED, night.model, **known, request=canonical_json(request))


def as_told(
    night: OpenNight,
    evaluated: Evaluated,
    falls: Mapping[str, Fall],
    checked: Sequence[Checked],
    drifts: Sequence[Drift],
) -> dict[str, Any]:
    """The night for JSON; `retrain` says whether a regression is told that no earlier night has told."""
    version = evaluated.asked.versions[CHAMPION].version
    drops = {name: fall.as_data() for name, fall in falls.items()}
    worse = any(drop["worse"] for drop in drops.values())
    told_before = any(each.regressed and each.version == version for each in night.history)
    return {
        "model": night.model,
        "profile": night.profile,
        "when": night.when.isoformat(),
        "run_id": night.job.run_id,
        "evaluation": evaluated.job.run_id,
        "version": version,
        "drops": drops,
        "retrain": worse and not told_before,
        "checked": [_checked(each) for each in checked],
        "drifts": [drift._asdict() for drift in drifts],
        "nights": [
            *(_night(each, list(evaluated.entries)) for each in night.history),
            _tonight(night, evaluated, drops),
        ],
        "snapshots": list(night.snapshots),
    }


def metrics_of(falls: Mapping[str, Fall], drifts: Sequence[Drift]) -> dict[str, float]:
    """Every number of a night under the name it is tracked by."""
    found: dict[str, float] = {}
    for name, fall in falls.items():
        numbers = {each: value for each, value in fall.as_data().items() if isinstance(value, float)}
        found |= {f"{name}.drop.{each}": value for each, value in numbers.items()}
    for drift in drifts:
        found |= drift.metrics()
    return found


def retraining_of(profile: str, photos: Snapshot | None) -> dict[str, Any]:
    """What a training that is to replace a champion is asked for: its own photos again, or those of the profile."""
    if photos is None:
        return {"profile": profile}
    return {"profile": profile, "photos": photos.source, "licence": photos.licence}


def output_folder(night: OpenNight) -> Path:
    """`<home>/evaluations/<model>-<profile>`."""
    return open_workspace().home / "evaluations" / f"{night.model}-{night.profile}"


def _show(told: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    lines = [f"**{chip.word}** {chip.told}\n" for chip in chips_of(told)]
    create_markdown_artifact("\n".join(lines), key="night", description=f"run {told['run_id']}")
    create_table_artifact(as_table(results), key="night-benchmarks", description=f"run {told['evaluation']}")
    link_file(open_workspace(), told["run_id"], "nightly.html", f"night of {told['when'][:10]}")


def _worse(told: Mapping[str, Any]) -> list[str]:
    return [name for name, drop in told["drops"].items() if drop["worse"]]


def _checked(each: Checked) -> dict[str, Any]:
    snapshot = each.snapshot
    known = {"id": snapshot.id, "name": snapshot.name, "kind": snapshot.kind, "files": snapshot.rows}
    return {**known, "passed": each.passed, "reason": each.reason, "page": each.page}


def _night(night: Night, benchmarks: Sequence[str]) -> dict[str, Any]:
    fused = {name: night.fused(name) for name in benchmarks}
    known = {"when": night.when.isoformat(), "run_id": night.run_id, "version": night.version}
    return {**known, "fused": fused, "regressed": list(night.regressed)}


def _tonight(night: OpenNight, evaluated: Evaluated, drops: Mapping[str, Any]) -> dict[str, Any]:
    fused = {name: entry.assessed[CHAMPION].scores.fused for name, entry in evaluated.entries.items()}
    version = evaluated.asked.versions[CHAMPION].version
    known = {"when": night.when.isoformat(), "run_id": night.job.run_id, "version": version}
    return {**known, "fused": fused, "regressed": [name for name, drop in drops.items() if drop["worse"]]}
