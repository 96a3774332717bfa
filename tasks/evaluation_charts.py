"""Charts of evaluations: versions side by side on every benchmark, and one night after the other."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tasks.charts import figure_of

ROLE_COLOURS = {"champion": "#0b5a7a", "challenger": "#c0702a", "previous": "#8a94a3"}


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
