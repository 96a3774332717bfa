"""What embeddings must satisfy before distances between them mean anything."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "network", "non_finite", "norm", "from_mean")


@dataclass(frozen=True)
class EmbeddingLimits:
    """How far a length may be from 1, and how far from their mean the embeddings of one network are at least."""

    norm_tolerance: float = 1e-3
    least_spread: float = 1e-3


def validate_embeddings(frame: pd.DataFrame, limits: EmbeddingLimits | None = None) -> ValidationReport:
    """Hold the suite against facts with `COLUMNS`, a row an embedding: of one scan by one network."""
    known = frame.copy()
    if {"path", "network"} <= set(frame.columns):
        known["which"] = known["network"].astype(str) + " of " + known["path"].astype(str)
    findings = run_rules(known, _rules(limits or EmbeddingLimits()), row_name="which")
    return ValidationReport("embeddings", len(frame), findings)


def _rules(limits: EmbeddingLimits) -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom_content import ExpectFactsToBeFinite, ExpectGroupsNotToBeAllAlike

    low, high = 1 - limits.norm_tolerance, 1 + limits.norm_tolerance
    finite: dict[str, Any] = {"column": "non_finite", "min_value": 0, "max_value": 0}
    unit: dict[str, Any] = {"column": "norm", "min_value": low, "max_value": high}
    differ = ExpectGroupsNotToBeAllAlike(column_A="network", column_B="from_mean", least=limits.least_spread)
    return [
        Rule("was measured", "norm", ExpectFactsToBeFinite(column_list=["non_finite", "norm", "from_mean"])),
        Rule("are finite", "non_finite", expect.ExpectColumnValuesToBeBetween(**finite)),
        Rule("is 1", "norm", expect.ExpectColumnValuesToBeBetween(**unit)),
        Rule("are not all alike", "from_mean", differ, because="from_mean"),
    ]
