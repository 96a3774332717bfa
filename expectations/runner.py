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


class Rule(NamedTuple):
    """An expectation with the words and the weight it has in our reports."""

    words: str
    column: str
    expectation: "Expectation"
    severity: Severity = "critical"


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
        shown = {"result_format": "COMPLETE", "unexpected_index_column_names": [row_name]}
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


def _finding(rule: Rule, answer: Any, row_name: str) -> Finding:
    """Great Expectations' answer in our words."""
    result = answer.result or {}
    rows = result.get("unexpected_index_list") or []
    names = [str(row[row_name]) for row in rows]
    return Finding(
        expectation=rule.words,
        column=rule.column,
        passed=bool(answer.success),
        severity=rule.severity,
        count=result.get("unexpected_count"),
        rows=tuple(names[:MOST_ROWS]),
        observed=_trouble(answer) or _observed(result),
    )


def _observed(result: dict[str, Any]) -> str:
    return f"observed {result['observed_value']}" if "observed_value" in result else ""


def _trouble(answer: Any) -> str:
    """Why a rule could not be evaluated; its exceptions come by metric, or as one."""
    told = answer.exception_info or {}
    reports = [told] if "raised_exception" in told else list(told.values())
    message = next((str(report["exception_message"]) for report in reports if report["raised_exception"]), "")
    return f"cannot be checked: {' '.join(message.split())[:200]}" if message else ""
