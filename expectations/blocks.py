"""Suites over tables of any length: a block at a time, so that memory does not grow with the number of rows."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pandas as pd

from expectations.report import MOST_ROWS, Finding, ValidationReport

Suite = Callable[[pd.DataFrame], ValidationReport]


def validate_blocks(blocks: Iterable[pd.DataFrame], suite: Suite) -> ValidationReport:
    """The report of a suite whose every rule is about single rows, over blocks of one table.

    A block that fails a rule fails it for the whole; counts add up and the first rows are kept.
    """
    whole: ValidationReport | None = None
    for block in blocks:
        report = suite(block)
        whole = report if whole is None else _joined(whole, report)
    return whole or suite(pd.DataFrame())


def _joined(first: ValidationReport, second: ValidationReport) -> ValidationReport:
    findings = tuple(map(_both, first.findings, second.findings))
    return ValidationReport(first.suite, first.rows + second.rows, findings)


def _both(first: Finding, second: Finding) -> Finding:
    counts = [count for count in (first.count, second.count) if count is not None]
    return replace(
        first,
        passed=first.passed and second.passed,
        count=sum(counts) if counts else None,
        rows=(*first.rows, *second.rows)[:MOST_ROWS],
        reasons=(*first.reasons, *second.reasons)[:MOST_ROWS],
        observed=first.observed or second.observed,
    )
