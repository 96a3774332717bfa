"""A study as tables: Markdown for Prefect and terminals, one page that needs no network, rows for the console."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined


class Section(NamedTuple):
    """A table under its title; the first row is the header."""

    title: str
    note: str
    rows: list[list[str]]


def as_markdown(title: str, note: str, sections: Sequence[Section]) -> str:
    """All sections below each other."""
    lines = [f"# {title}", "", note, ""]
    for each in sections:
        header, *rows = each.rows
        lines += [
            f"## {each.title}",
            "",
            each.note,
            "",
            _row(header),
            _row(["---"] * len(header)),
            *map(_row, rows),
            "",
        ]
    return "\n".join(lines)


def as_page(title: str, note: str, sections: Sequence[Section]) -> str:
    """The same for a browser, at any width."""
    text = files("tasks").joinpath("templates/study.html.j2").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True).from_string(text)
    return template.render(title=title, note=note, sections=sections)


def share(interval: Mapping[str, Any]) -> str:
    """A rank-1 with its interval, in per cent."""
    low, value, high = (100 * interval[end] for end in ("low", "value", "high"))
    return f"{value:.1f} ({low:.1f}-{high:.1f})"


def gain(interval: Mapping[str, Any]) -> str:
    """A difference with its interval, in points."""
    low, value, high = (100 * interval[end] for end in ("low", "value", "high"))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
