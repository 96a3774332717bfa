"""What a job leaves for people: results.json, pictures, one page, and the same in MLflow and Prefect."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.files import atomic_write_text
from infra.profiles import NormalsConfig
from models.geometry.range_image import Grid
from models.metrics.protocol import Protocol
from models.reconstructors.encoding import UNVARIED, centred, face_footprint, training_image
from models.reconstructors.expnet import meshes
from models.reconstructors.stored import load_expnet
from models.types import Scan
from registry.runs import TrackedRun
from tasks import policies
from tasks.align import Crops
from tasks.evaluate import BenchmarkResult, read_outcomes
from tasks.figures import cmc_picture, gallery_picture
from tasks.files import read_json, write_json
from tasks.findings import Findings
from tasks.jobs import Job
from tasks.links import link_file
from tasks.matches import draw_matches
from tasks.normals import NormalShards
from tasks.page import gather, render
from tasks.pictures import show_picture
from tasks.reconstructor import TrainedExpNet
from tasks.stages import total_seconds
from tasks.tables import DATA
from tasks.wiring import open_workspace

GALLERY_ROWS = 6


@task(name="pictures", **policies.STAGE)
def draw_pictures(
    folder: Path,
    crops: Crops,
    config: NormalsConfig,
    expnet: TrainedExpNet,
    result: BenchmarkResult,
    scans: NormalShards,
    protocol: Protocol,
    variant: str,
) -> None:
    """`gallery.png`, `cmc.png`, and the surest and worst matches of `variant`, see `draw_matches`.

    The gallery shows photo, mesh, range image, Nx, Ny, Nz of a few training photos, each as reconstructed.
    """
    network = load_expnet(expnet.artefact.path)
    large = np.load(crops.paths("reconstructor")[0], mmap_mode="r", allow_pickle=False)
    chosen = large[np.linspace(0, len(large) - 1, min(GALLERY_ROWS, len(large))).astype(int)]
    faces = list(meshes(network.face, network.coefficients(np.asarray(chosen), torch.device("cpu"))))
    grid = Grid(config.pixels, config.pixels, config.mm_per_pixel)
    footprint = face_footprint(network.face, grid, config.crop_radius_mm)
    rng = np.random.default_rng(0)
    upright = [Scan(centred(face, network.face.nose_tip), network.face.triangles) for face in faces]
    planes = [training_image(face, grid, footprint, UNVARIED, rng) for face in upright]
    gallery_picture(folder / "gallery.png", list(chosen), faces, planes, network.face)
    cmc_picture(
        folder / "cmc.png", result.scores, f"{result.benchmark}: {result.gallery} people, {result.probes} probes"
    )
    draw_matches(folder, read_outcomes(result.artefact, variant), scans, protocol)


@task(name="report", **policies.REGISTER)
def report(folder: Path, findings: Findings, job: Job) -> dict[str, Any]:
    """Write `results.json` and `report.html`, log both to the parent run, and end it; returns the results."""
    workspace = open_workspace()
    seconds = {name: round(total_seconds(workspace, made), 1) for name, made in findings.stages.items()}
    results = as_results(findings, seconds)
    write_json(folder / "results.json", results)
    page = render(findings, seconds, folder, gather(workspace, findings, job))
    atomic_write_text(folder / "report.html", page)
    run = workspace.tracker.run(
        job.experiment, f"{findings.profile.name} on {findings.snapshot.name}", job.key, job=job.attempt
    )
    _log(run, findings, folder)
    run.finish()
    create_markdown_artifact(as_markdown(findings), key="recognizer-results", description=f"run {job.run_id}")
    show_picture(folder / "gallery.png", "gallery", "photos, reconstructed faces, range images, Nx, Ny, Nz")
    show_picture(folder / "cmc.png", "cmc", "rank-k rates of every variant")
    link_file(workspace, job.run_id, "report.html", "the report")
    return results


def keep_peak(folder: Path, results: dict[str, Any], peak_mb: float) -> dict[str, Any]:
    """Add the peak memory to `results.json`; returns the whole.

    It is this run's, or that of an earlier run of the same job, which did the work that this one found done.
    """
    notes = folder / "peak_memory.json"
    known = read_json(notes) if notes.is_file() else {}
    same = known.get("seconds") == results["seconds"]
    peak = round(max(peak_mb, known["peak_memory_mb"] if same else 0.0))
    write_json(notes, {"seconds": results["seconds"], "peak_memory_mb": peak})
    whole = {**results, "peak_memory_mb": peak}
    write_json(folder / "results.json", whole)
    return whole


def as_results(findings: Findings, seconds: Mapping[str, float]) -> dict[str, Any]:
    """The figures as data."""
    benchmark, released = findings.benchmark, findings.released
    counts = {
        "gallery": benchmark.gallery,
        "probes": benchmark.probes,
        "failures": benchmark.failures,
        "protocol": benchmark.protocol_hash,
        "data": findings.benchmark_data,
    }
    rank1 = {name: scores.rank1() for name, scores in benchmark.scores.items()}
    intervals = {name: [scores.fused_low, scores.fused_high] for name, scores in benchmark.scores.items()}
    figures = {name: dict(found) for name, found in benchmark.figures.items()}
    return {
        "profile": findings.profile.name,
        "photos": {
            "snapshot": findings.snapshot.id,
            "count": findings.snapshot.rows,
            "failures": findings.photo_failures,
        },
        "seconds": dict(seconds),
        "expnet": findings.shape_error._asdict(),
        "benchmarks": {benchmark.benchmark: {**counts, **rank1, "fused_interval": intervals, "figures": figures}},
        "registered": {"name": released.name, "version": released.version, "alias": released.alias},
        "refused_because": list(released.reasons),
    }


def as_markdown(findings: Findings) -> str:
    """The table of rank-1 figures."""
    lines = ["| variant | Nx | Ny | Nz | fused |", "| --- | --- | --- | --- | --- |"]
    for name, row in findings.benchmark.scores.items():
        lines.append(f"| {name} | {row.x:.3f} | {row.y:.3f} | {row.z:.3f} | {row.fused:.3f} |")
    released = findings.released
    lines += ["", f"{released.name} version {released.version} is {released.alias}. {'; '.join(released.reasons)}"]
    return "\n".join(lines)


def _log(run: TrackedRun, findings: Findings, folder: Path) -> None:
    for name in ("results.json", "report.html", "gallery.png", "cmc.png"):
        run.log_file(folder / name)
    evaluation = findings.benchmark.artefact.path
    for path in [evaluation / "paired.json", *sorted(evaluation.glob("*.details.json"))]:
        run.log_file(path, findings.benchmark.benchmark)
    run.set_tags({DATA + findings.benchmark.benchmark: findings.benchmark_data})
    run.log_metrics(findings.benchmark.metrics())
    run.log_metrics({f"expnet.{name}": float(value) for name, value in findings.shape_error._asdict().items()})
