"""What the coefficients of faces must satisfy before images are made of them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "failure", "non_finite", "largest_identity", "largest_expression", "identity_norm")


@dataclass(frozen=True)
class CoefficientLimits:
    """In standard deviations of the morphable model; `most_failures` is the share of photos that may give no face."""

    sigmas: float = 8.0
    unusual: float = 5.0
    most_failures: float = 0.5
    usual_failures: float = 0.05


def validate_coefficients(frame: pd.DataFrame, limits: CoefficientLimits | None = None) -> ValidationReport:
    """Hold the suite against facts with `COLUMNS`; a photo that gave no face has a `failure` and no others."""
    asked = limits or CoefficientLimits()
    faces = frame[frame["failure"].isna()].reset_index(drop=True) if "failure" in frame else frame
    findings = run_rules(frame, _rules_of_failures(asked)) + run_rules(faces, _rules_of_faces(asked))
    return ValidationReport("coefficients", len(frame), findings)


def _rules_of_failures(asked: CoefficientLimits) -> list[Rule]:
    expect = load_great_expectations().expectations

    def at_most(share: float, **more: Any) -> Rule:
        few = expect.ExpectColumnValuesToBeNull(column="failure", mostly=1 - share)
        return Rule(f"at most {share:.0%} of the photos gave no face", "failure", few, **more)

    return [at_most(asked.most_failures), at_most(asked.usual_failures, severity="warning")]


def _rules_of_faces(asked: CoefficientLimits) -> list[Rule]:
    from expectations.custom_content import ExpectFactsToBeFinite, ExpectFiniteCoefficientsWithin

    parts = ["non_finite", "largest_identity", "largest_expression"]

    def within(sigmas: float, **more: Any) -> Rule:
        words = f"are finite and within {sigmas:g} standard deviations"
        return Rule(words, "coefficients", ExpectFiniteCoefficientsWithin(column_list=parts, sigmas=sigmas), **more)

    return [
        Rule("was measured", "identity_norm", ExpectFactsToBeFinite(column_list=[*parts, "identity_norm"])),
        within(asked.sigmas),
        within(asked.unusual, severity="warning"),
    ]
