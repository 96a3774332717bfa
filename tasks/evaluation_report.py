"""What an evaluation on all benchmarks leaves: evaluation.json, a page, MLflow's runs, Prefect's artifacts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact

from infra.files import atomic_write_text
from tasks import policies
from tasks.evaluation_page import benchmark_sections, page_of
from tasks.evaluation_results import Evaluated
from tasks.evaluation_runs import log_evaluation
from tasks.files import write_json
from tasks.links import link_file
from tasks.wiring import open_workspace


@task(name="report evaluation of all", **policies.REGISTER)
def report_all(evaluated: Evaluated) -> dict[str, Any]:
    """Write and log everything; returns what `evaluation.json` says, with the page's path."""
    results = evaluated.as_data()
    folder = output_folder(evaluated)
    title = f"{evaluated.asked.model} on all benchmarks ({evaluated.profile.name})"
    page = page_of(title, results, benchmark_sections(results))
    write_json(folder / "evaluation.json", results)
    atomic_write_text(folder / "evaluation.html", page)
    log_evaluation.fn(evaluated.job, results, page)
    create_table_artifact(as_table(results), key="evaluation-all", description=f"{title}, run {evaluated.job.run_id}")
    link_file(open_workspace(), evaluated.job.run_id, "evaluation.html", title)
    return {**results, "page": str(folder / "evaluation.html")}


def output_folder(evaluated: Evaluated) -> Path:
    """`<home>/evaluations/<model>-<profile>`."""
    return open_workspace().home / "evaluations" / f"{evaluated.asked.model}-{evaluated.profile.name}"


def as_table(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each version on each benchmark; shares in percent."""
    return [
        {
            "benchmark": name,
            "version": f"{one['version']} ({role})",
            **{axis: round(100 * one[axis], 1) for axis in ("fused", "x", "y", "z")},
            "interval": f"{100 * one['fused_low']:.1f}-{100 * one['fused_high']:.1f}",
            "probes": entry["probes"],
            "run": one["run_id"],
        }
        for name, entry in results["benchmarks"].items()
        for role, one in entry["versions"].items()
    ]
