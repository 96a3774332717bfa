"""What the pixels of photos must satisfy before a face is looked for in them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "failure", "width", "height", "brightness", "contrast", "listed_width", "listed_height")


@dataclass(frozen=True)
class PhotoLimits:
    """Brightness and contrast are of 255; below `least_contrast` a photo shows one colour and nothing else."""

    darkest: float = 3.0
    least_contrast: float = 2.0
    dim: float = 20.0
    glaring: float = 240.0


def validate_photos(frame: pd.DataFrame, limits: PhotoLimits | None = None) -> ValidationReport:
    """Hold the suite against facts with `COLUMNS`; a photo with a `failure` could not be read and has no others."""
    read = frame[frame["failure"].isna()].reset_index(drop=True) if "failure" in frame else frame
    findings = run_rules(frame, _rules_of_reading()) + run_rules(read, _rules_of_pixels(limits or PhotoLimits()))
    return ValidationReport("photos", len(frame), findings)


def _rules_of_reading() -> list[Rule]:
    expect = load_great_expectations().expectations
    return [Rule("can be read", "failure", expect.ExpectColumnValuesToBeNull(column="failure"))]


def _rules_of_pixels(limits: PhotoLimits) -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom_content import ExpectFactsToBeFinite, ExpectPhotosNotToBeBlack

    def between(words: str, column: str, least: float, most: float | None, **more: Any) -> Rule:
        bounds: dict[str, Any] = {"column": column, "min_value": least, "max_value": most}
        return Rule(words, column, expect.ExpectColumnValuesToBeBetween(**bounds), **more)

    def as_listed(side: str) -> Rule:
        pair: dict[str, Any] = {"column_A": side, "column_B": f"listed_{side}"}
        same = expect.ExpectColumnPairValuesToBeEqual(**pair, ignore_row_if="either_value_is_missing")
        return Rule("is as listed", side, same)

    figures = ["width", "height", "brightness", "contrast"]
    return [
        Rule("was measured", "brightness", ExpectFactsToBeFinite(column_list=figures)),
        Rule("is not black", "brightness", ExpectPhotosNotToBeBlack(column="brightness", darkest=limits.darkest)),
        between("shows more than one colour", "contrast", limits.least_contrast, None),
        between("is neither very dark nor glaring", "brightness", limits.dim, limits.glaring, severity="warning"),
        as_listed("width"),
        as_listed("height"),
    ]
