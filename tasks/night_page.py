"""The sections of a page that a night adds: alarms, drift, new data, and the nights one after the other."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from tasks.charts import as_div
from tasks.evaluation_charts import nights_chart
from tasks.evaluation_page import Chip, Sections
from tasks.templating import render_template

SHOWN = 30
"""Nights in the table; the chart shows all."""
LINKS = (("regression", "Regression"), ("nights", "Nights"), ("drift", "Drift"), ("new-data", "New data"))


def night_sections(told: Mapping[str, Any]) -> Sections:
    """What `night.json` says."""
    chart = Markup(as_div(nights_chart(told["nights"]), "chart-nights"))  # noqa: S704 - Plotly escapes
    recent = list(reversed(told["nights"]))[:SHOWN]
    return Sections(render_template("night.html.j2", told=told, recent=recent, chart=chart), LINKS)


def chips_of(told: Mapping[str, Any]) -> list[Chip]:
    """The three things to know first."""
    worse = [name for name, drop in told["drops"].items() if drop["worse"]]
    drifted = [drift["about"] for drift in told["drifts"] if drift["drifted"]]
    refused = [each["name"] for each in told["checked"] if not each["passed"]]
    again = "a retraining was asked for" if told["retrain"] else "told on an earlier night"
    steady = "no drop that chance would not give" if told["drops"] else "nothing to compare the champion with yet"
    return [
        Chip(not worse, "regressed" if worse else "steady", f"{', '.join(worse)}; {again}" if worse else steady),
        Chip(not drifted, "drift" if drifted else "no drift", ", ".join(drifted) or _looked(told)),
        Chip(not refused, "data refused" if refused else "data", ", ".join(refused) or _new(told)),
    ]


def _looked(told: Mapping[str, Any]) -> str:
    tested = sum(bool(drift["figures"]) for drift in told["drifts"])
    return f"in {tested} new collections" if tested else "no new collection that could be tested"


def _new(told: Mapping[str, Any]) -> str:
    return f"{len(told['checked'])} new snapshots, all as expected" if told["checked"] else "no new snapshot"
