"""What suites found, as data, Markdown and a page that needs no network."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from jinja2 import Environment

from expectations.page import PAGE

Severity = Literal["critical", "warning"]
MOST_ROWS = 20
FIRST_ROWS = 3


@dataclass(frozen=True)
class Finding:
    """The result of one expectation. `rows` are up to 20 paths that failed it, `count` is how many there are.

    `reasons` say of each of `rows` what was seen there. `count` is None where the expectation is about the table and
    not about rows; `observed` then says what was seen.
    """

    expectation: str
    column: str
    passed: bool
    severity: Severity = "critical"
    count: int | None = None
    rows: tuple[str, ...] = ()
    observed: str = ""
    reasons: tuple[str, ...] = ()

    def named(self) -> tuple[str, ...]:
        """Each row with its reason in parentheses."""
        return tuple(f"{row} ({reason})" if reason else row for row, reason in self.listed())

    def listed(self) -> tuple[tuple[str, str], ...]:
        """(row, reason) of each row; an empty reason where there is none."""
        reasons = self.reasons or ("",) * len(self.rows)
        return tuple(zip(self.rows, reasons, strict=True))

    def as_line(self) -> str:
        """The finding in one line."""
        what = f"{self.column}: {self.expectation}" if self.column else self.expectation
        if self.passed:
            return f"{what} - holds"
        return f"{what} - {_failing(self)}" + (f", first {', '.join(self.named()[:FIRST_ROWS])}" if self.rows else "")


@dataclass(frozen=True)
class ValidationReport:
    """All findings of one suite; a failed warning is reported and does not refuse."""

    suite: str
    rows: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether every critical expectation held; a suite that looked at nothing has not passed."""
        return self.looked and not self.failures

    @property
    def looked(self) -> bool:
        """Whether there was anything to look at."""
        return bool(self.findings) and self.rows > 0

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What refuses the data."""
        return tuple(finding for finding in self.findings if not finding.passed and finding.severity == "critical")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What should be looked at."""
        return tuple(finding for finding in self.findings if not finding.passed and finding.severity == "warning")

    @property
    def held(self) -> tuple[Finding, ...]:
        """What is as it should be."""
        return tuple(finding for finding in self.findings if finding.passed)

    def first_failure(self) -> str:
        """One line for an error message; empty when the suite passed."""
        lines = self.failing_lines()
        return "".join(lines[:1]) + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")

    def failing_lines(self) -> list[str]:
        """What refuses the data, a line each."""
        lines = [finding.as_line() for finding in self.failures]
        return lines or ([] if self.looked else [f"{self.suite}: nothing was checked"])

    def to_markdown(self) -> str:
        """A table for Prefect's artifacts and MLflow."""
        head = f"**{self.suite}**: {'passed' if self.passed else 'refused'}, {self.rows} rows\n"
        lines = [head, "| | column | expectation | failing | first rows |", "| --- | --- | --- | --- | --- |"]
        for finding in self.findings:
            first = ", ".join(finding.named()[:FIRST_ROWS])
            cells = (mark(finding), finding.column, finding.expectation, seen(finding), first)
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Validation:
    """All suites that looked at one thing: `topic` says what it is in a run (photos, scans, ...), `about` which one."""

    topic: str
    about: str
    reports: tuple[ValidationReport, ...]

    @property
    def passed(self) -> bool:
        """Whether every suite passed, and there was one."""
        return bool(self.reports) and all(report.passed for report in self.reports)

    def first_failure(self) -> str:
        """One line for an error message, with how many more there are; empty when everything passed."""
        if not self.reports:
            return "nothing was checked"
        lines = [line for report in self.reports for line in report.failing_lines()]
        return "".join(lines[:1]) + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")

    def metrics(self) -> dict[str, float]:
        """Rows looked at, expectations that failed and that warn, under names of MLflow."""
        return {
            f"validation.{self.topic}.rows": float(max((report.rows for report in self.reports), default=0)),
            f"validation.{self.topic}.failed": float(sum(len(report.failures) for report in self.reports)),
            f"validation.{self.topic}.warnings": float(sum(len(report.warnings) for report in self.reports)),
        }

    def to_markdown(self) -> str:
        """The tables of all suites."""
        return "\n".join([f"{self.topic}: {self.about}\n", *(report.to_markdown() for report in self.reports)])

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "passed": self.passed, "reason": self.first_failure()}


def validation_from(stored: Mapping[str, Any]) -> Validation:
    """The validation of which `as_dict` was stored."""
    return Validation(stored["topic"], stored["about"], tuple(_report_from(each) for each in stored["reports"]))


def page_of(title: str, validations: Iterable[Validation]) -> str:
    """One page with an index: no script, no font and no style from elsewhere."""
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
    return page.render(title=title, validations=list(validations), seen=seen)


def mark(finding: Finding) -> str:
    """The verdict in a word."""
    return "ok" if finding.passed else "warning" if finding.severity == "warning" else "FAILED"


def seen(finding: Finding) -> str:
    """How many rows fail, or what was seen of the whole table."""
    return finding.observed if finding.count is None else str(finding.count)


def _failing(finding: Finding) -> str:
    if finding.count is None:
        return finding.observed
    return f"{finding.count} row fails" if finding.count == 1 else f"{finding.count} rows fail"


def _report_from(stored: Mapping[str, Any]) -> ValidationReport:
    return ValidationReport(stored["suite"], stored["rows"], tuple(map(_finding_from, stored["findings"])))


def _finding_from(stored: Mapping[str, Any]) -> Finding:
    lists: dict[str, Any] = {name: tuple(stored[name]) for name in ("rows", "reasons")}
    return Finding(**{**stored, **lists})
