"""The newest evaluation on all benchmarks that MLflow holds, taken into the report of a training."""

from pathlib import Path

from infra.files import atomic_write_text
from registry.reported import Reported, finished_runs, json_of
from registry.tracking import Tracker
from tasks.evaluate_scans import EXPERIMENT
from tasks.evaluation_page import benchmark_sections, taken_in


def take_in_newest(tracker: Tracker, report: Path, profile: str) -> str:
    """Give the report at `report` the section of the profile's newest evaluation; returns which one, in words."""
    run = newest_evaluation(tracker, profile)
    results = None if run is None else json_of(tracker, run.run_id, "evaluation.json")
    if run is None or results is None:
        return ""
    told = f"All benchmarks: evaluation {run.run_id}, {run.name}."
    page = taken_in(report.read_text(encoding="utf-8"), benchmark_sections(results), told)
    atomic_write_text(report, page)
    return f"; all benchmarks: run {run.run_id}"


def newest_evaluation(tracker: Tracker, profile: str) -> Reported | None:
    """The newest finished evaluation on all benchmarks of that profile."""
    found = finished_runs(tracker, EXPERIMENT, {"kind": "all", "profile": profile})
    return found[0] if found else None
