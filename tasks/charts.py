"""Interactive charts of an evaluation (Plotly); the page that holds them brings the script once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from scipy.stats import norm

from models.metrics.benchmark import Scores
from models.metrics.details import Details

COLOURS = {"baseline": "#8a94a3", "ce": "#c0702a", "lmcl": "#0b5a7a"}
_MORE = ("#6a4c93", "#2a7f62", "#a32020")
_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8)
_CONFIG = {"responsive": True, "displayModeBar": False}


def colour_of(variant: str, place: int) -> str:
    """One colour a variant on every chart."""
    return COLOURS.get(variant, _MORE[place % len(_MORE)])


def as_div(figure: go.Figure, name: str) -> str:
    """The chart as a part of a page that has Plotly's script already."""
    return figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=_CONFIG)


def cmc_chart(scores: Mapping[str, Scores]) -> go.Figure:
    """The share of probes whose subject is among the first k."""
    figure = figure_of("rank", "identified, %")
    for place, (name, found) in enumerate(scores.items()):
        ranks = list(range(1, len(found.cmc) + 1))
        figure.add_scatter(x=ranks, y=_percent(found.cmc), **_line(name, place), mode="lines+markers")
    return figure


def roc_chart(details: Mapping[str, Details]) -> go.Figure:
    """True matches over false matches; FMR is logarithmic."""
    figure = figure_of("FMR, %", "true matches (1 - FNMR), %")
    figure.update_xaxes(type="log", dtick=1)
    for place, (name, curve) in enumerate(_curves(details)):
        kept = np.array(curve["fmr"]) > 0
        x, y = (np.array(curve[rate])[kept] for rate in ("fmr", "fnmr"))
        figure.add_scatter(x=_percent(x), y=_percent(1 - y), **_line(name, place))
    return figure


def det_chart(details: Mapping[str, Details]) -> go.Figure:
    """Both errors on axes of normal deviates."""
    figure = figure_of("FMR, %", "FNMR, %")
    ticks: dict[str, Any] = {"tickvals": norm.ppf(_TICKS).tolist(), "ticktext": [f"{100 * tick:g}" for tick in _TICKS]}
    ends = norm.ppf([0.00005, 0.9]).tolist()
    figure.update_xaxes(**ticks, range=ends)
    figure.update_yaxes(**ticks, range=ends)
    for place, (name, curve) in enumerate(_curves(details)):
        x, y = np.array(curve["fmr"]), np.array(curve["fnmr"])
        inside = (x > 0) & (x < 1) & (y > 0) & (y < 1)
        figure.add_scatter(x=norm.ppf(x[inside]).tolist(), y=norm.ppf(y[inside]).tolist(), **_line(name, place))
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": "#c8ced6", "dash": "dot"}, name="FMR = FNMR")
    return figure


def gallery_chart(details: Mapping[str, Details], chosen: str) -> go.Figure:
    """Rank-1 by the number of people enrolled, with the interval of the chosen variant."""
    figure = figure_of("people enrolled", "rank-1, %")
    figure.update_xaxes(type="log")
    for place, (name, found) in enumerate(details.items()):
        rows = found.gallery_curve
        size = [row["size"] for row in rows]
        low, middle, high = (_percent([row[which] for row in rows]) for which in ("low", "rank1", "high"))
        if name == chosen:
            figure.add_scatter(x=size + size[::-1], y=high + low[::-1], **_band(colour_of(name, place)))
        figure.add_scatter(x=size, y=middle, **_line(name, place), mode="lines+markers")
    return figure


def slices_chart(divided: Mapping[str, Any]) -> go.Figure:
    """Rank-1 of each group of one label, with its interval over people."""
    rows = divided["slices"]
    rates = [row["rank1"] for row in rows]
    middle = _percent([rate["value"] for rate in rates])
    up = [100 * (rate["high"] - rate["value"]) for rate in rates]
    down = [100 * (rate["value"] - rate["low"]) for rate in rates]
    names = [f"{row['group']} ({row['probes']})" for row in rows]
    colours = ["#a32020" if row["group"] in divided["distinct"] else "#0b5a7a" for row in rows]
    figure = figure_of("rank-1, %", "", height=110 + 30 * len(rows))
    errors = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": "#5a6472"}
    figure.add_scatter(x=middle, y=names, error_x=errors, mode="markers", marker={"size": 9, "color": colours})
    figure.update_layout(showlegend=False)
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def figure_of(x: str, y: str, height: int = 340) -> go.Figure:
    """An empty chart in the look of all of them; `x` and `y` are the titles of the axes."""
    figure = go.Figure()
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 56, "r": 12, "t": 12, "b": 48},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1c2430"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis_title=x,
        yaxis_title=y,
    )
    return figure


def _line(name: str, place: int) -> dict[str, Any]:
    return {"name": name, "line": {"color": colour_of(name, place), "width": 2}}


def _curves(details: Mapping[str, Details]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, found.verification["curve"]) for name, found in details.items() if found.verification is not None]


def _percent(shares: Sequence[float] | np.ndarray) -> list[float]:
    return [round(100 * float(share), 4) for share in shares]


def _band(colour: str) -> dict[str, Any]:
    """A faint area without an edge."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    shade = f"rgba({red},{green},{blue},0.13)"
    look = {"fill": "toself", "mode": "lines", "fillcolor": shade, "line": {"width": 0}}
    return {**look, "hoverinfo": "skip", "showlegend": False}
