"""The papers' tables with our figures beside theirs, looked up in MLflow, as Markdown and as a page."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from infra.files import atomic_write_text
from registry.reported import Reported, finished_runs, json_of
from registry.tracking import Tracker
from tasks.paper_tables import TABLES, Cell, PaperTable, Source, Unit

DATA = "trinormal.data."
"""The tag that names the data of a benchmark, such as `trinormal.data.bu3dfe`."""
UNNAMED = "data not named"


class Ours(NamedTuple):
    """Our figure for one cell, its interval where there is one, and the run and data it comes from."""

    value: float
    low: float | None
    high: float | None
    run: Reported
    data: str


class Answer(NamedTuple):
    """A cell, and what we have beside it: a figure or None."""

    cell: Cell
    ours: Ours | None


class Laid(NamedTuple):
    """One table laid beside ours."""

    table: PaperTable
    answers: Mapping[tuple[str, str], Answer]

    @property
    def runs(self) -> list[tuple[Reported, str]]:
        """The runs that answer it, each with the name of its data."""
        known = {answer.ours.run.run_id: (answer.ours.run, answer.ours.data) for answer in self.found}
        return list(known.values())

    @property
    def found(self) -> list[Any]:
        """The cells we have a figure for."""
        return [answer for answer in self.answers.values() if answer.ours is not None]

    @property
    def commands(self) -> list[str]:
        """What would make the figures that are missing."""
        missing = [answer.cell.ours for answer in self.answers.values() if answer.ours is None]
        return sorted({source.command for source in missing if source is not None})

    @property
    def lacks(self) -> list[str]:
        """The same as sentences."""
        return [f"missing figures: {command}" for command in self.commands]


def lay_out(tracker: Tracker, profile: str | None = None) -> list[Laid]:
    """Every table of both papers with the newest figures tracked, of one profile or of any."""

    @cache
    def runs(experiment: str, tag: tuple[str, str] | None) -> list[Reported]:
        wanted = dict([tag] if tag else [])
        return finished_runs(tracker, experiment, wanted | ({"profile": profile} if profile else {}))

    @cache
    def content(run_id: str, file: str) -> Any:
        return json_of(tracker, run_id, file)

    def value(run: Reported, source: Source) -> float | None:
        return run.metrics.get(source.metric) if source.file is None else _at(content(run.run_id, source.file), source)

    def answer(table: PaperTable, asked: Source | None) -> Ours | None:
        sources = () if asked is None else asked.everywhere()
        known = [(source, run) for source in sources for run in runs(source.experiment, source.tag)]
        for source, run in sorted(known, key=lambda pair: -pair[1].started_ms):
            found = value(run, source)
            if found is not None:
                low, high = (run.metrics.get(name) for name in source.bounds())
                return Ours(float(found), low, high, run, run.tags.get(DATA + table.benchmark, UNNAMED))
        return None

    return [
        Laid(table, {(cell.row, cell.column): Answer(cell, answer(table, cell.ours)) for cell in table.cells})
        for table in TABLES
    ]


def write_tables(folder: Path, tracker: Tracker, profile: str | None = None) -> list[Laid]:
    """`tables.md` and `tables.html` in `folder`; returns what is in them."""
    laid = lay_out(tracker, profile)
    atomic_write_text(folder / "tables.md", as_markdown(laid))
    atomic_write_text(folder / "tables.html", as_page(laid))
    return laid


def as_markdown(laid: list[Laid]) -> str:
    """All tables; the runs are listed under each."""
    lines = ["# The papers' tables, ours beside theirs", ""]
    for each in laid:
        table = each.table
        lines += [f"## Table {table.key}: {table.title}", ""]
        lines.append(f"Paper: {table.data}. {_ours_on(each)} {table.note}".rstrip())
        lines += ["", "| | " + " | ".join(f"{column}: paper | here" for column in table.columns) + " |"]
        lines.append("| --- |" + " ---: | ---: |" * len(table.columns))
        for row in table.rows:
            parts = [f"{paper(each, row, column)} | {ours(each, row, column)}" for column in table.columns]
            lines.append(f"| {row} | " + " | ".join(parts) + " |")
        lines.append("")
        lines += [f"- run `{run.run_id}` ({run.name}): {data}" for run, data in each.runs]
        lines += [f"- {sentence}" for sentence in each.lacks]
        lines.append("")
    return "\n".join(lines)


def as_page(laid: list[Laid]) -> str:
    """One page that needs no network; every figure of ours names its run."""
    text = files("tasks").joinpath("templates/tables.html.j2").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True).from_string(text)
    return template.render(laid=laid, paper=paper, value=_value, interval=interval, ours_on=_ours_on)


def paper(laid: Laid, row: str, column: str) -> str:
    """What the paper prints at a place, a dash where it prints nothing."""
    found = laid.answers.get((row, column))
    return "-" if found is None else _printed(found.cell.paper, laid.table.unit)


def ours(laid: Laid, row: str, column: str) -> str:
    """Our figure with its interval, a dash where there is none."""
    found = laid.answers.get((row, column))
    if found is None or found.ours is None:
        return "-"
    told = _printed(found.ours.value, laid.table.unit)
    ends = interval(found.ours)
    return f"{told} ({ends})" if ends else told


def interval(found: Ours) -> str:
    """The ends in per cent; empty where there are none."""
    return "" if found.low is None or found.high is None else f"{100 * found.low:.1f}-{100 * found.high:.1f}"


def _value(laid: Laid, found: Ours) -> str:
    return _printed(found.value, laid.table.unit)


def _printed(value: float, unit: Unit) -> str:
    if unit == "MB":
        return f"{value:.0f} MB"
    return f"{value:.3f} s" if unit == "seconds" else f"{100 * value:.1f} %"


def _ours_on(laid: Laid) -> str:
    data = sorted({data for _, data in laid.runs})
    return f"Here: {'; '.join(data)}." if data else "Here: no run has these figures yet."


def _at(content: Any, source: Source) -> float | None:
    """A number in a JSON file; None where the path leads nowhere."""
    for step in source.metric.split("/"):
        if isinstance(content, list) and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        elif isinstance(content, dict) and step in content:
            content = content[step]
        else:
            return None
    return float(content) if isinstance(content, int | float) else None
