"""What an experiment leaves: its figures in MLflow, `<name>.json`, one page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.files import atomic_write_text
from infra.profiles import Profile
from models.metrics.ablation import CHANNELS
from registry.runs import Point
from tasks import policies
from tasks.ablation import Ablation
from tasks.files import write_json
from tasks.jobs import Job
from tasks.study_page import Section, as_markdown, as_page, gain, share
from tasks.tables import DATA
from tasks.wiring import open_workspace

NOTE = "Rank-1 in per cent; intervals hold 95 % over people, differences are on the same probes."


class Level(NamedTuple):
    """One step of an experiment: its name, the amount that was turned up, and what became of every variant."""

    label: str
    amount: float
    ablation: Ablation


class Story(NamedTuple):
    """A whole experiment; `more` are single figures that are no rank-1."""

    title: str
    levels: list[Level]
    more: Mapping[str, float]


@task(name="report experiment", **policies.REGISTER)
def report_experiment(
    folder: Path, name: str, story: Story, profile: Profile, runs: Mapping[str, Job], job: Job
) -> dict[str, Any]:
    """Write `experiment-<name>.json`, `.md` and `.html`, log them and every figure; returns what the JSON says."""
    tracker = open_workspace().tracker
    results = as_results(name, story, profile)
    sections = sections_of(results)
    stem = f"experiment-{name}"
    write_json(folder / f"{stem}.json", results)
    atomic_write_text(folder / f"{stem}.md", as_markdown(story.title, NOTE, sections))
    atomic_write_text(folder / f"{stem}.html", as_page(story.title, NOTE, sections))
    for part in runs.values():
        tracker.run(job.experiment, "", part.key, job=job.attempt, parent=job.run_id).finish()
    run = tracker.run(job.experiment, name, job.key, job=job.attempt)
    run.set_tags({"experiment": name, **{DATA + each.ablation.test: each.ablation.data for each in story.levels}})
    run.log_points([point for each in story.levels for point in _points(each)])
    run.log_metrics(story.more)
    for ending in ("json", "md", "html"):
        run.log_file(folder / f"{stem}.{ending}")
    run.finish()
    create_markdown_artifact(as_markdown(story.title, NOTE, sections), key=stem, description=f"run {job.run_id}")
    return results


def as_results(name: str, story: Story, profile: Profile) -> dict[str, Any]:
    """The experiment as data."""
    return {
        "experiment": name,
        "title": story.title,
        "profile": profile.name,
        "levels": [_level(each) for each in story.levels],
        "more": dict(story.more),
    }


def sections_of(results: Mapping[str, Any]) -> list[Section]:
    """Rank-1 of every level and variant, and the differences within a level."""
    header = ["", "variant", "Nx", "Ny", "Nz", "fused", "lost"]
    rows = [
        [level["label"], variant, *(share(row[channel]) for channel in CHANNELS), str(level["lost_probes"])]
        for level in results["levels"]
        for variant, row in level["rank1"].items()
    ]
    data = "; ".join(dict.fromkeys(f"{each['data']}: {each['probes']} probes" for each in results["levels"]))
    pairs = [
        [level["label"], pair, gain(row), f"{row['p']:.3f}"]
        for level in results["levels"]
        for pair, row in level["differences"].items()
        if pair.count(".fused") == 2
    ]
    found = [Section(results["title"], data, [header, *rows])]
    found.append(Section("Differences of the fusions", "", [["", "first - second", "points", "p"], *pairs]))
    if results["more"]:
        more = [[name, f"{value:.3f}"] for name, value in results["more"].items()]
        found.append(Section("Other figures", "", [["figure", "value"], *more]))
    return found


def _points(level: Level) -> list[Point]:
    """A curve over the amounts for each variant and channel."""
    step, stem = round(level.amount), level.ablation.test
    found = [Point(f"{stem}.lost_probes", step, float(level.ablation.lost_probes))]
    for variant, row in level.ablation.figures.items():
        for channel, at in row.items():
            ends = {"": at.value, "_low": at.low, "_high": at.high}
            found += [Point(f"{stem}.{variant}.{channel}{end}", step, value) for end, value in ends.items()]
    return found


def _level(level: Level) -> dict[str, Any]:
    each = level.ablation
    pairs = {name: {**pair.difference._asdict(), "p": pair.clustered_p} for name, pair in each.differences.items()}
    return {
        "label": level.label,
        "amount": level.amount,
        "benchmark": each.test,
        "data": each.data,
        "protocol": each.protocol_hash,
        "gallery": each.gallery,
        "probes": each.probes,
        "lost_probes": each.lost_probes,
        "rank1": {name: {key: at._asdict() for key, at in row.items()} for name, row in each.figures.items()},
        "differences": pairs,
    }
