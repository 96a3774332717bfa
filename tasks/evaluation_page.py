"""The page of an evaluation on all benchmarks, and its sections, which the report of a training takes in too."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from tasks.charts import as_div
from tasks.evaluation_charts import benchmarks_chart
from tasks.templating import render_template

MARK, NAV_MARK = "<!-- all benchmarks -->", "<!-- nav: all benchmarks -->"
"""Where the report of a training has room for sections of a later evaluation, and for the links to them."""


class Chip(NamedTuple):
    """One word on what a reader has to know first, and a line beside it."""

    good: bool
    word: str
    told: str


class Sections(NamedTuple):
    """Parts of a page, and (anchor, title) of each."""

    html: Markup
    links: tuple[tuple[str, str], ...]

    @property
    def nav(self) -> Markup:
        """The links as they stand in the bar on top."""
        return Markup("").join(Markup('<a href="#{}">{}</a>').format(*link) for link in self.links)

    def __add__(self, other: object) -> "Sections":
        """Both, one after the other."""
        if not isinstance(other, Sections):
            return NotImplemented
        return Sections(self.html + other.html, (*self.links, *other.links))


def benchmark_sections(results: Mapping[str, Any]) -> Sections:
    """All benchmarks and the comparison of versions, from `Evaluated.as_data`."""
    chart = Markup(as_div(benchmarks_chart(results), "chart-benchmarks"))  # noqa: S704 - Plotly escapes
    html = render_template("benchmarks.html.j2", results=results, charts={"benchmarks": chart})
    return Sections(html, (("benchmarks", "Benchmarks"),))


def page_of(
    title: str,
    results: Mapping[str, Any],
    sections: Sections,
    chips: Sequence[Chip] = (),
    more_runs: Mapping[str, str] | None = None,
) -> str:
    """A page of its own."""
    return render_template(
        "evaluation.html.j2",
        title=title,
        results=results,
        chips=chips,
        nav=sections.nav + Markup('<a href="#runs">Runs</a>'),
        sections=sections.html,
        runs={**(more_runs or {}), **runs_of(results)},
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the library's own script
    )


def runs_of(results: Mapping[str, Any]) -> dict[str, str]:
    """Every run that a number of the sections comes from, by what it is."""
    runs = {"evaluation": str(results["run_id"])}
    for name, entry in results["benchmarks"].items():
        runs[name] = entry["run_id"]
        runs |= {f"{name}, version {one['version']}": one["run_id"] for one in entry["versions"].values()}
    return runs


def taken_in(report: str, sections: Sections, told: str) -> str:
    """The report of a training with sections of an evaluation in it; `told` says which."""
    note = Markup('<p class="note">{}</p>').format(escape(told))
    return report.replace(NAV_MARK, str(sections.nav), 1).replace(MARK, str(sections.html + note), 1)
