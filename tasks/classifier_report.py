"""What a study leaves for people: classifiers.json, pictures, one page, and the same in MLflow and Prefect."""

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.files import atomic_write_text
from registry.runs import TrackedRun
from tasks import policies
from tasks.classifier_figures import accuracy_picture, confusion_picture, reliability_picture
from tasks.classifier_results import MODELS
from tasks.classifier_study import PHOTOS
from tasks.files import write_json
from tasks.jobs import Job
from tasks.wiring import open_workspace

Figures = dict[str, Any]
JSON_FILE, PAGE = "classifiers.json", "classifiers.html"

OPTION_TITLES = (
    ("texture", "texture coefficients as well"),
    ("pooling", "C-Net instead of the plain mean"),
    ("views", "all views of a face"),
    ("multi_task", "expression and gender learnt together"),
)


@task(name="report classifiers", **policies.REGISTER)
def report_classifiers(folder: Path, results: Figures, curves: Mapping[str, Figures], job: Job) -> Figures:
    """Write the files to `folder`, log them to the parent run and end it; returns the results."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / JSON_FILE, results)
    pictures = draw(folder, results, curves)
    atomic_write_text(folder / PAGE, page(results, folder, pictures))
    workspace = open_workspace()
    run = workspace.tracker.run(job.experiment, "", job.key, job=job.attempt)
    for name in (JSON_FILE, PAGE, *pictures):
        run.log_file(folder / name)
    log_figures(run, results)
    run.finish()
    create_markdown_artifact(as_markdown(results), key="classifiers", description=f"run {job.run_id}")
    return results


def draw(folder: Path, results: Figures, curves: Mapping[str, Figures]) -> list[str]:
    """The pictures there is something to show in; returns their names."""
    accuracy_picture(folder / "classifiers-accuracy.png", results["tasks"])
    drawn = ["classifiers-accuracy.png"]
    third = results.get("tables", {}).get("3")
    if third:
        ours = third["ours"]
        paper = third["paper"] if len(ours["labels"]) == len(third["paper"]) else None
        confusion_picture(folder / "classifiers-confusion.png", ours["labels"], ours["shares"], paper)
        drawn.append("classifiers-confusion.png")
    if curves:
        reliability_picture(folder / "classifiers-reliability.png", curves)
        drawn.append("classifiers-reliability.png")
    return drawn


def log_figures(run: TrackedRun, results: Figures) -> None:
    """Accuracies of every model under the parent run."""
    for experiment, found in results["tasks"].items():
        for name, row in found["models"].items():
            label = f"{experiment}.{name}".replace(",", "")
            run.log_metrics({f"{label}.{which}": float(row[which]) for which in ("accuracy", "low", "high")})


def table_of(found: Figures) -> list[list[str]]:
    """A row a model: accuracy, interval, macro-F1, calibration error before and after, milliseconds an input."""
    return [
        [
            name,
            percent(row["accuracy"]),
            span(row["low"], row["high"]),
            percent(row["macro_f1"]),
            _number(row["ece"], 3),
            _number(row["ece_calibrated"], 3),
            _milliseconds(row.get("seconds_per_input")),
        ]
        for name, row in found["models"].items()
    ]


HEADER = ("model", "accuracy %", "95 % interval", "macro F1", "ECE", "ECE calibrated", "ms/input")
NARROW = (0, 1, 2, 4, 6)
"""The columns that a terminal of 80 characters has room for."""


def as_markdown(results: Figures) -> str:
    """The tables of every experiment, as Prefect's artifact shows them."""
    lines: list[str] = []
    for experiment, found in results["tasks"].items():
        lines += [f"## {experiment}", ""]
        lines += _markdown_table([list(HEADER), *table_of(found)])
        lines.append("")
    for each in results.get("registered", []):
        lines.append(f"{each['name']} version {each['version']} is {each['alias']}. {'; '.join(each['reasons'])}")
    return "\n".join(lines)


def page(results: Figures, folder: Path, pictures: Sequence[str]) -> str:
    """One page that needs no network."""
    text = files("tasks").joinpath("templates/classifiers.html.j2").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True).from_string(text)
    shown = {name.removeprefix("classifiers-").removesuffix(".png"): _inline(folder / name) for name in pictures}
    rows = {experiment: table_of(found) for experiment, found in results["tasks"].items()}
    helpers = {"percent": percent, "span": span, "milliseconds": _milliseconds, "number": _number}
    return template.render(
        results=results,
        rows=rows,
        header=HEADER,
        pictures=shown,
        models=MODELS,
        options=OPTION_TITLES,
        photo_folds=max(len(found["models"].get(PHOTOS, {}).get("folds", ())) for found in results["tasks"].values()),
        **helpers,
    )


def percent(share: float | None) -> str:
    """A share as per cent with one place; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f}"


def span(low: float, high: float) -> str:
    """An interval of shares as per cent."""
    return f"{percent(low)}-{percent(high)}"


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.2f}"


def _markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "| " + " | ".join("---" for _ in rows[0]) + " |", *lines[1:]]


def _inline(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
