"""What a comparison of reconstructors leaves: comparable runs in MLflow, compare.json, a picture sheet, one page."""

import base64
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, StrictUndefined
from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.files import atomic_write_text
from infra.profiles import Profile
from registry.catalogue import Snapshot
from tasks import policies
from tasks.evaluate import BenchmarkResult
from tasks.faces import Faces
from tasks.files import write_json
from tasks.jobs import Job
from tasks.links import link_file
from tasks.measure import Cost, Quality
from tasks.pictures import show_picture
from tasks.sheets import variant_sheet
from tasks.tables import DATA
from tasks.wiring import open_workspace

SHEET_PHOTOS = 10
ADAPTED = "lmcl"


class Entry(NamedTuple):
    """One reconstructor: its own run, what it made of the photos, how good, how costly, how well it trains."""

    name: str
    run: Job
    faces: Faces
    quality: Quality
    cost: Cost
    result: BenchmarkResult

    def figures(self) -> dict[str, float]:
        """Every number of the comparison, under the same names for every reconstructor."""
        chosen = self.result.scores[ADAPTED]
        rank1 = {f"rank1.{axis}": value for axis, value in chosen.rank1().items()}
        lost = len(self.faces.failures())
        return {
            **rank1,
            "rank1.fused_low": chosen.fused_low,
            "rank1.fused_high": chosen.fused_high,
            **{
                (name if name == "normals_deg" else f"mesh_mm.{name}"): value
                for name, value in self.quality.errors.items()
            },
            "heldout_failures": float(self.quality.failures),
            "photo_failures": float(lost),
            "seconds_per_photo": self.cost.seconds,
            "peak_memory_mb": self.cost.peak_mb,
        }


@task(name="report comparison", **policies.REGISTER)
def report_comparison(
    folder: Path, profile: Profile, snapshot: Snapshot, entries: list[Entry], job: Job, data: str
) -> dict[str, Any]:
    """Write `compare.json`, `sheet.png` and `compare.html`, and log them; returns what compare.json says."""
    workspace = open_workspace()
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        run = workspace.tracker.run(job.experiment, entry.name, entry.run.key, job=job.attempt, parent=job.run_id)
        run.log_metrics({**entry.figures(), **entry.result.metrics()})
        run.set_tags({DATA + entry.result.benchmark: data})
        run.finish()
    results = as_results(profile, snapshot, entries, data)
    variant_sheet(folder / "sheet.png", [entry.faces for entry in entries], SHEET_PHOTOS)
    write_json(folder / "compare.json", results)
    atomic_write_text(folder / "compare.html", _page(results, folder / "sheet.png"))
    parent = workspace.tracker.run(job.experiment, f"{profile.name} on {snapshot.name}", job.key, job=job.attempt)
    for name in ("compare.json", "compare.html", "sheet.png"):
        parent.log_file(folder / name)
    parent.finish()
    create_markdown_artifact(as_markdown(results), key="reconstructor-comparison", description=f"run {job.run_id}")
    show_picture(folder / "sheet.png", "reconstructions", "the same photos by every reconstructor")
    link_file(workspace, job.run_id, "compare.html", "the comparison")
    return results


def as_results(profile: Profile, snapshot: Snapshot, entries: list[Entry], data: str) -> dict[str, Any]:
    """The comparison as data. Raises `ValueError` when entries were not measured under one protocol."""
    protocols = {entry.result.protocol_hash for entry in entries}
    (protocol,) = protocols
    first = entries[0].result
    return {
        "profile": profile.name,
        "photos": {"snapshot": snapshot.id, "count": snapshot.rows},
        "protocol": protocol,
        "data": data,
        "gallery": first.gallery,
        "probes": first.probes,
        "baseline": first.scores["baseline"].rank1(),
        "reconstructors": {entry.name: _finite(entry.figures()) for entry in entries},
    }


def as_markdown(results: dict[str, Any]) -> str:
    """The table, as the console, the page and Prefect's artifact show it."""
    rows = table(results)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "| " + " | ".join("---" for _ in rows[0]) + " |", *lines[1:]])


NARROW = (0, 1, 4, 5, 6, 7, 8, 10)
"""The columns that a terminal of 80 characters has room for."""


def table(results: dict[str, Any]) -> list[list[str]]:
    """Header and one row a reconstructor; what a reconstructor has no figure for is a dash."""
    header = ["reconstructor", "mesh mm", "nose", "mouth", "normals °", "Nx", "Ny", "Nz", "fused (95 %)", "lost"]
    rows = [[*header, "ms", "MB"]]
    for name, found in results["reconstructors"].items():
        fused, low, high = (_percent(found[f"rank1.{which}"]) for which in ("fused", "fused_low", "fused_high"))
        rows.append(
            [
                name,
                *(_number(found.get(f"mesh_mm.{region}"), 2) for region in ("face", "nose", "mouth")),
                _number(found.get("normals_deg"), 2),
                *(_percent(found[f"rank1.{axis}"]) for axis in "xyz"),
                f"{fused} ({low}-{high})",
                f"{found['photo_failures']:.0f}",
                _number(1000 * found["seconds_per_photo"], 1),
                f"{found['peak_memory_mb']:.0f}",
            ]
        )
    return rows


def _page(results: dict[str, Any], sheet: Path) -> str:
    text = files("tasks").joinpath("templates/compare.html.j2").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True).from_string(text)
    picture = f"data:image/png;base64,{base64.b64encode(sheet.read_bytes()).decode()}"
    return template.render(results=results, rows=table(results), sheet=picture)


def _finite(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
