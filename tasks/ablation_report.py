"""What an ablation leaves: runs that the papers' tables are filled from, ablations.json, one page."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.files import atomic_write_text
from infra.profiles import Profile
from infra.settings import usable_cores
from infra.store import Artefact
from models.metrics.ablation import CHANNELS
from registry.catalogue import Snapshot
from tasks import policies
from tasks.ablation import Ablation, Bench
from tasks.complexity import Parts, numbers_of
from tasks.embed import Three
from tasks.files import write_json
from tasks.jobs import Job
from tasks.normals import NormalShards
from tasks.recogniser import Network
from tasks.stages import total_seconds
from tasks.study_page import Section, as_markdown, as_page, gain, share
from tasks.tables import DATA
from tasks.wiring import open_workspace

TITLE = "Ablations"
NOTE = "Rank-1 in per cent; intervals hold 95 % over people, differences are on the same probes."


class Studied(NamedTuple):
    """Everything an ablation came to: `runs` of the reconstructors and of the benchmarks, by their names."""

    profile: Profile
    snapshot: Snapshot
    ablations: Sequence[Ablation]
    runs: Mapping[str, Job]
    bench_runs: Mapping[str, Job]
    complexity: Parts
    seconds: Mapping[str, float]


@task(name="report ablations", **policies.REGISTER)
def report_ablations(folder: Path, studied: Studied, job: Job) -> dict[str, Any]:
    """Write `ablations.json`, `.md` and `.html`, log them and every figure; returns what the JSON says."""
    tracker = open_workspace().tracker
    results = as_results(studied)
    sections = sections_of(results)
    write_json(folder / "ablations.json", results)
    atomic_write_text(folder / "ablations.md", as_markdown(TITLE, NOTE, sections))
    atomic_write_text(folder / "ablations.html", as_page(TITLE, NOTE, sections))
    for name, part in studied.runs.items():
        run = tracker.run(job.experiment, name, part.key, job=job.attempt, parent=job.run_id)
        run.set_tags({DATA + each.test: each.data for each in studied.ablations})
        run.log_metrics({key: value for each in studied.ablations for key, value in each.metrics(name).items()})
        run.finish()
    for name, part in studied.bench_runs.items():
        tracker.run(job.experiment, name, part.key, job=job.attempt, parent=job.run_id).finish()
    run = tracker.run(job.experiment, TITLE, job.key, job=job.attempt)
    run.log_metrics({key: value for each in studied.ablations for key, value in each.gains().items()})
    run.log_metrics(numbers_of(studied.complexity))
    run.set_tags({f"{DATA}complexity": machine()})
    for ending in ("json", "md", "html"):
        run.log_file(folder / f"ablations.{ending}")
    run.finish()
    create_markdown_artifact(as_markdown(TITLE, NOTE, sections), key="ablations", description=f"run {job.run_id}")
    return results


def stage_seconds(
    pretrained: Network, branches: Mapping[str, tuple[NormalShards, Mapping[str, Three]]], benches: Sequence[Bench]
) -> dict[str, float]:
    """Seconds of the stages that the study shares with nothing or with everything, when they were made."""
    workspace = open_workspace()
    made: dict[str, list[Artefact]] = {"pretrain": [pretrained.artefact]}
    for name, (normals, adapted) in branches.items():
        made[f"encode faces {name}"] = normals.shards
        made |= {f"finetune {name}.{loss}": [each.artefact for each in three] for loss, three in adapted.items()}
    made |= {f"clean and encode {bench.name}": bench.scans.shards for bench in benches if bench.root is not None}
    return {name: round(total_seconds(workspace, artefacts), 1) for name, artefacts in made.items()}


def machine() -> str:
    """What the costs were measured on."""
    return f"{len(usable_cores())} processor cores ({platform.system()} {platform.machine()})"


def as_results(studied: Studied) -> dict[str, Any]:
    """The study as data."""
    return {
        "profile": studied.profile.name,
        "photos": {"snapshot": studied.snapshot.id, "count": studied.snapshot.rows},
        "benchmarks": {each.test: _benchmark(each) for each in studied.ablations},
        "complexity": {name: part._asdict() for name, part in studied.complexity.items()},
        "seconds": dict(studied.seconds),
    }


def sections_of(results: Mapping[str, Any]) -> list[Section]:
    """Two tables a benchmark, and what the parts cost."""
    found: list[Section] = []
    for name, each in results["benchmarks"].items():
        counts = f"{each['gallery']} people, {each['probes']} probes, {each['lost_probes']} lost"
        rows = [[variant, *(share(row[channel]) for channel in CHANNELS)] for variant, row in each["rank1"].items()]
        found.append(Section(each["data"], counts, [["variant", "Nx", "Ny", "Nz", "fused"], *rows]))
        rows = [[pair, gain(row), _p(row["p"])] for pair, row in each["differences"].items()]
        found.append(Section(f"What each part adds ({name})", "", [["first - second", "points", "p"], *rows]))
    parts = [[part, f"{1000 * row['seconds']:.1f}", f"{row['peak_mb']:.0f}"] for part, row in _parts(results)]
    note = "One photo, scan or image at a time; the peak is that of the whole process with its libraries."
    return [*found, Section("Complexity", note, [["part", "ms", "peak MB"], *parts])]


def _benchmark(each: Ablation) -> dict[str, Any]:
    rank1 = {variant: {name: at._asdict() for name, at in row.items()} for variant, row in each.figures.items()}
    pairs = {name: {**pair.difference._asdict(), "p": pair.clustered_p} for name, pair in each.differences.items()}
    return {
        "data": each.data,
        "protocol": each.protocol_hash,
        "gallery": each.gallery,
        "probes": each.probes,
        "lost_probes": each.lost_probes,
        "rank1": rank1,
        "differences": pairs,
    }


def _parts(results: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float]]]:
    return list(results["complexity"].items())


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
