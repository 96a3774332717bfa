"""The report of a job as one page that needs no network: figures, charts, pictures, gate, lineage, card."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from models.metrics.details import Details
from registry.ledger import history
from registry.reported import card_of, finished_runs
from registry.stage_graph import StageGraph, stage_graph
from tasks.charts import as_div, cmc_chart, det_chart, gallery_chart, roc_chart, slices_chart
from tasks.evaluate import BenchmarkResult, read_details, read_paired
from tasks.files import read_json
from tasks.findings import Findings
from tasks.jobs import Job
from tasks.paper_tables import PAPER_A
from tasks.templating import render_template
from tasks.wiring import Workspace

BOX, GAP = (150, 44), (46, 18)
"""Width and height of a box of the lineage graph, and the room between boxes, pixels."""


class PageSource(NamedTuple):
    """What the page is made from, beside the findings themselves."""

    details: Mapping[str, Details]
    paired: Mapping[str, Any]
    gate: Mapping[str, Any] | None
    graph: StageGraph
    card: str
    runs: Mapping[str, str]
    run_id: str


def gather(workspace: Workspace, found: Findings, job: Job) -> PageSource:
    """Look everything up: evaluation, ledger, lineage of the exported model, model card, MLflow's runs."""
    model, version = found.released.name, found.released.version
    decided = [entry for entry in history(workspace.engine, model) if entry.version == version]
    decisions = [entry.decision for entry in decided if entry.decision.get("checks")]
    children = finished_runs(workspace.tracker, job.experiment, {"mlflow.parentRunId": job.run_id})
    (exported,) = found.stages["export"]
    return PageSource(
        {name: read_details(found.benchmark.artefact, name) for name in found.benchmark.scores},
        read_paired(found.benchmark.artefact),
        decisions[-1] if decisions else None,
        stage_graph(workspace.engine, exported.key),
        card_of(workspace.tracker, model, version),
        {run.name: run.run_id for run in reversed(children)},
        job.run_id,
    )


def render(found: Findings, seconds: Mapping[str, float], folder: Path, source: PageSource) -> str:
    """The page."""
    card = MarkdownIt("js-default").render(source.card)  # raw HTML in it stays text
    return render_template(
        "report.html.j2",
        found=found,
        seconds=seconds,
        source=source,
        chosen=found.variant,
        paper=_papers(found.benchmark.benchmark),
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the library's own script
        charts=_charts(found.benchmark, source.details, found.variant),
        gallery=inline(folder / "gallery.png"),
        matches=_matches(folder),
        graph=drawn(source.graph),
        card=Markup(card),  # noqa: S704 - escaped by the renderer
    )


def inline(path: Path) -> str:
    """A PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


class Placed(NamedTuple):
    """A box of the lineage graph at its place, in pixels."""

    name: str
    label: str
    x: int
    y: int


class Drawn(NamedTuple):
    """The lineage graph laid out from left (data) to right (model); edges are SVG paths."""

    width: int
    height: int
    boxes: tuple[Placed, ...]
    edges: tuple[str, ...]


def drawn(graph: StageGraph) -> Drawn:
    """Columns by depth, stages below each other."""
    deepest = max(stage.depth for stage in graph.stages)
    rows = dict.fromkeys(range(deepest + 1), 0)
    boxes: dict[str, Placed] = {}
    for stage in graph.stages:
        x = (deepest - stage.depth) * (BOX[0] + GAP[0]) + 4
        y = rows[stage.depth] * (BOX[1] + GAP[1]) + 4
        rows[stage.depth] += 1
        label = f"{stage.artefacts} {'snapshots' if stage.kind == 'snapshot' else 'artefacts'}"
        boxes[stage.name] = Placed(stage.name, label if stage.artefacts > 1 else label.rstrip("s"), x, y)
    width = (deepest + 1) * (BOX[0] + GAP[0]) - GAP[0] + 8
    height = max(rows.values()) * (BOX[1] + GAP[1]) - GAP[1] + 8
    edges = [_edge(boxes[made_from], boxes[made]) for made_from, made in graph.edges]
    return Drawn(width, height, tuple(boxes.values()), tuple(edges))


def _edge(start: Placed, end: Placed) -> str:
    x0, y0, x1, y1 = start.x + BOX[0], start.y + BOX[1] // 2, end.x, end.y + BOX[1] // 2
    bend = max(20, (x1 - x0) // 2)
    return f"M{x0} {y0} C{x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"


def _charts(benchmark: BenchmarkResult, details: Mapping[str, Details], chosen: str) -> dict[str, Markup]:
    figures = {"cmc": cmc_chart(benchmark.scores), "gallery-size": gallery_chart(details, chosen)}
    if any(found.verification for found in details.values()):
        figures |= {"roc": roc_chart(details), "det": det_chart(details)}
    for divided in details[chosen].slices:
        figures[f"slices-{divided['label']}"] = slices_chart(divided)
    return {name: Markup(as_div(figure, f"chart-{name}")) for name, figure in figures.items()}  # noqa: S704 - Plotly escapes


def _matches(folder: Path) -> list[dict[str, Any]]:
    path = folder / "matches.json"
    known: Sequence[dict[str, Any]] = read_json(path) if path.is_file() else []
    return [{**match, "pictures": [inline(folder / name) for name in match["pictures"]]} for match in known]


def _papers(benchmark: str) -> dict[tuple[str, str], float]:
    """What paper A prints for this benchmark: by variant and axis, and fused by reconstructor."""
    tables = [table for table in PAPER_A if table.benchmark == benchmark]
    cells = [cell for table in tables for cell in table.cells if cell.ours is not None]
    metrics = [(cell.ours.metric.split(".")[1:], cell) for cell in cells if cell.ours and cell.ours.tag is None]
    return {(variant, axis): cell.paper for (variant, axis), cell in metrics}
