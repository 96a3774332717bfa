"""Runs expectations of Great Expectations on a table and translates what it says. Quiet, offline, nothing kept."""

import logging
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from expectations.report import MOST_ROWS, Finding, Severity

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation


LONGEST_REASON = 120


class Rule(NamedTuple):
    """An expectation with the words and the weight it has in our reports.

    `because` names the column that says of a failing row what is wrong; else the values that were looked at do.
    """

    words: str
    column: str
    expectation: "Expectation"
    severity: Severity = "critical"
    because: str = ""


def load_great_expectations() -> Any:
    """The package, imported at its first use (seconds) and without its analytics."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations
        import great_expectations as gx
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx


def run_rules(frame: pd.DataFrame, rules: Sequence[Rule], row_name: str = "path") -> tuple[Finding, ...]:
    """Hold every rule against the table; failing rows are named by the column `row_name`.

    A rule that cannot be evaluated (a column is missing, say) fails.
    """
    gx = load_great_expectations()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asset = _quiet_context(gx).data_sources.add_pandas("table").add_dataframe_asset("table")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        for number, rule in enumerate(rules):
            rule.expectation.meta = {"rule": number}  # answers come in another order
        suite = gx.ExpectationSuite(name="rules", expectations=[rule.expectation for rule in rules])
        shown = {"result_format": "COMPLETE", "unexpected_index_column_names": _shown(frame, rules, row_name)}
        results = batch.validate(suite, result_format=shown).results
    answers = {answer.expectation_config.meta["rule"]: answer for answer in results}
    return tuple(_finding(rule, answers[number], row_name) for number, rule in enumerate(rules))


def _quiet_context(gx: Any) -> Any:
    """A context in memory, without progress bars and without the folder in /tmp it makes for its own pages."""
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def _shown(frame: pd.DataFrame, rules: Sequence[Rule], row_name: str) -> list[str]:
    """The columns to be told of failing rows; naming one that is not there would break every rule."""
    reasons = dict.fromkeys(rule.because for rule in rules if rule.because in frame.columns)
    return [row_name, *reasons]


def _finding(rule: Rule, answer: Any, row_name: str) -> Finding:
    """Great Expectations' answer in our words."""
    result = answer.result or {}
    count = result.get("unexpected_count")
    rows: list[dict[str, Any]] = (result.get("unexpected_index_list") or [])[:MOST_ROWS]
    return Finding(
        expectation=rule.words,
        column=rule.column,
        passed=bool(answer.success),
        severity=rule.severity,
        count=None if count is None else int(count),
        rows=tuple(str(row[row_name]) for row in rows),
        observed=_trouble(answer) or _observed(result),
        reasons=tuple(_reason(rule, row, row_name) for row in rows),
    )


def _reason(rule: Rule, row: dict[str, Any], row_name: str) -> str:
    """What is wrong with a row, in one short line."""
    looked_at = [value for name, value in row.items() if name in _columns(rule) and name != row_name]
    values = [row[rule.because]] if rule.because in row else looked_at
    text = " ".join(", ".join(_word(value) for value in values).split()).removeprefix(f"{row[row_name]}: ")
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."


def _columns(rule: Rule) -> set[str]:
    """The columns that an expectation looks at."""
    given = rule.expectation
    named = (getattr(given, field, None) for field in ("column", "column_A", "column_B"))
    return {*(name for name in named if name), *(getattr(given, "column_list", None) or ())}


def _word(value: Any) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "nothing"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.4g}"
    return str(value)


def _observed(result: dict[str, Any]) -> str:
    return f"observed {result['observed_value']}" if "observed_value" in result else ""


def _trouble(answer: Any) -> str:
    """Why a rule could not be evaluated; its exceptions come by metric, or as one."""
    told = answer.exception_info or {}
    reports = [told] if "raised_exception" in told else list(told.values())
    message = next((str(report["exception_message"]) for report in reports if report["raised_exception"]), "")
    return f"cannot be checked: {' '.join(message.split())[:200]}" if message else ""
