"""The newest night and evaluation on all benchmarks that MLflow holds, taken into the report of a training."""

from pathlib import Path
from typing import Any

from infra.files import atomic_write_text
from registry.nights import EXPERIMENT as NIGHTS
from registry.reported import Reported, finished_runs, json_of
from registry.tracking import Tracker
from tasks.evaluate_scans import EXPERIMENT
from tasks.evaluation_page import benchmark_sections, taken_in
from tasks.night_page import night_sections


def take_in_newest(tracker: Tracker, report: Path, profile: str) -> str:
    """Give the report at `report` the sections of the profile's newest evaluation and night; says which, in words."""
    evaluation = _newest(tracker, EXPERIMENT, {"kind": "all", "profile": profile})
    results = _told(tracker, evaluation, "evaluation.json")
    if evaluation is None or results is None:
        return ""
    sections, told = benchmark_sections(results), f"evaluation {evaluation.run_id}, {evaluation.name}"
    night = _newest(tracker, NIGHTS, {"profile": profile})
    known = _told(tracker, night, "night.json")
    if night is not None and known is not None:
        sections, told = sections + night_sections(known), f"{told}; night {night.run_id}, {night.name}"
    page = taken_in(report.read_text(encoding="utf-8"), sections, f"All benchmarks: {told}.")
    atomic_write_text(report, page)
    return f"; all benchmarks: run {evaluation.run_id}"


def _newest(tracker: Tracker, experiment: str, tags: dict[str, str]) -> Reported | None:
    found = finished_runs(tracker, experiment, tags)
    return found[0] if found else None


def _told(tracker: Tracker, run: Reported | None, file: str) -> Any | None:
    return None if run is None else json_of(tracker, run.run_id, file)
