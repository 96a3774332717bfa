"""Charts of evaluations: versions side by side on every benchmark, and one night after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tasks.charts import figure_of

ROLE_COLOURS = {"champion": "#0b5a7a", "challenger": "#c0702a", "previous": "#8a94a3"}
LINES = ("#0b5a7a", "#c0702a", "#2a7f62", "#6a4c93", "#1c2430", "#a32020", "#8a94a3")


def benchmarks_chart(results: Mapping[str, Any]) -> go.Figure:
    """Rank-1 of each version on each benchmark, with its interval; percent."""
    benchmarks = results["benchmarks"]
    figure = figure_of("rank-1, %", "", height=130 + 22 * sum(len(each["versions"]) for each in benchmarks.values()))
    for role in results["versions"]:
        found = {name: each["versions"][role] for name, each in benchmarks.items() if role in each["versions"]}
        middle = [100 * one["fused"] for one in found.values()]
        up = [100 * (one["fused_high"] - one["fused"]) for one in found.values()]
        down = [100 * (one["fused"] - one["fused_low"]) for one in found.values()]
        errors = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5}
        figure.add_scatter(
            x=middle,
            y=list(found),
            error_x=errors,
            mode="markers",
            marker={"size": 9, "color": ROLE_COLOURS[role]},
            name=f"{role}, version {results['versions'][role]['version']}",
            offsetgroup=role,
        )
    figure.update_layout(scattermode="group", scattergap=0.5)
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def nights_chart(nights: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Rank-1 of the champion on each benchmark, night by night; a cross where it had become worse."""
    figure = figure_of("night (UTC)", "rank-1, %")
    for place, name in enumerate(nights[-1]["fused"]):
        known = [night for night in nights if night["fused"].get(name) is not None]
        figure.add_scatter(
            x=[night["when"] for night in known],
            y=[100 * night["fused"][name] for night in known],
            mode="lines+markers",
            name=name,
            line={"color": LINES[place % len(LINES)], "width": 2},
            marker={"size": 8, "symbol": ["x" if name in night["regressed"] else "circle" for night in known]},
            text=[f"version {night['version']}" for night in known],
        )
    return figure
