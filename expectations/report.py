"""What a suite found, as data, Markdown and a page that needs no network."""

from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment

from expectations.page import PAGE

Severity = Literal["critical", "warning"]
MOST_ROWS = 20


@dataclass(frozen=True)
class Finding:
    """The result of one expectation. `rows` are up to 20 paths that failed it, `count` is how many there are.

    `count` is None where the expectation is about the table and not about rows; `observed` then says what was seen.
    """

    expectation: str
    column: str
    passed: bool
    severity: Severity = "critical"
    count: int | None = None
    rows: tuple[str, ...] = ()
    observed: str = ""

    def as_line(self) -> str:
        """The finding in one line."""
        what = f"{self.column}: {self.expectation}" if self.column else self.expectation
        if self.passed:
            return f"{what} - holds"
        seen = f"{self.count} rows fail" if self.count is not None else self.observed
        return f"{what} - {seen}" + (f", first {', '.join(self.rows[:3])}" if self.rows else "")


@dataclass(frozen=True)
class ValidationReport:
    """All findings of a suite about one snapshot; a failed warning is reported and does not refuse."""

    suite: str
    rows: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether every critical expectation held; a suite that looked at nothing has not passed."""
        return bool(self.findings) and not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What refuses the snapshot."""
        return tuple(finding for finding in self.findings if not finding.passed and finding.severity == "critical")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What should be looked at."""
        return tuple(finding for finding in self.findings if not finding.passed and finding.severity == "warning")

    def first_failure(self) -> str:
        """One line for an error message; empty when the suite passed."""
        if not self.findings:
            return "nothing was checked"
        lines = [finding.as_line() for finding in self.failures]
        return "".join(lines[:1]) + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")

    def to_markdown(self) -> str:
        """A table for Prefect's artifacts and MLflow."""
        head = f"**{self.suite}**: {'passed' if self.passed else 'refused'}, {self.rows} rows\n"
        lines = [head, "| | column | expectation | failing | first rows |", "| --- | --- | --- | --- | --- |"]
        for finding in self.findings:
            cells = (_mark(finding), finding.column, finding.expectation, _seen(finding), ", ".join(finding.rows[:3]))
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """A page of its own: no script, no font and no style from elsewhere."""
        page = Environment(autoescape=True).from_string(PAGE)
        return page.render(report=self, mark=_mark, seen=_seen)


def _mark(finding: Finding) -> str:
    return "ok" if finding.passed else "warning" if finding.severity == "warning" else "FAILED"


def _seen(finding: Finding) -> str:
    return finding.observed if finding.count is None else str(finding.count)
