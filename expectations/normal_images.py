"""What normal component images must satisfy before a network learns from them or is tested on them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "length_error", "valid_share", "torn", "mean_z", "lowest", "highest")


@dataclass(frozen=True)
class NormalLimits:
    """`tolerance` is what rounding to bytes leaves of |n| = 1; a face looks at the camera, so its mean Nz is large, and
    its cheeks turn away to both sides, so some component is well below 0 and some is nearly 1.
    """

    tolerance: float = 0.012
    least_share: float = 0.05
    usual_share: float = 0.15
    least_mean_z: float = 0.3
    most_lowest: float = -0.2
    least_highest: float = 0.8


def validate_normal_images(frame: pd.DataFrame, limits: NormalLimits | None = None) -> ValidationReport:
    """Hold the suite against facts with `COLUMNS`, a row an image."""
    return ValidationReport("normal images", len(frame), run_rules(frame, _rules(limits or NormalLimits())))


def _rules(limits: NormalLimits) -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom_content import ExpectFactsToBeFinite, ExpectUnitNormals

    def between(words: str, column: str, least: float, most: float | None, **more: Any) -> Rule:
        bounds: dict[str, Any] = {"column": column, "min_value": least, "max_value": most}
        return Rule(words, column, expect.ExpectColumnValuesToBeBetween(**bounds), **more)

    share = "of the pixels show a surface"
    return [
        Rule("was measured", "length_error", ExpectFactsToBeFinite(column_list=list(COLUMNS[1:]))),
        Rule("normals are unit", "length_error", ExpectUnitNormals(column="length_error", tolerance=limits.tolerance)),
        between("all three components are there or none", "torn", 0, 0),
        between(f"at least {limits.least_share:.0%} {share}", "valid_share", limits.least_share, 1),
        between(f"at least {limits.usual_share:.0%} {share}", "valid_share", limits.usual_share, 1, severity="warning"),
        between("the face looks at the camera", "mean_z", limits.least_mean_z, 1),
        between("the surface is curved: some normals look far aside", "lowest", -1, limits.most_lowest),
        between("some normals look straight along an axis", "highest", limits.least_highest, 1),
    ]
