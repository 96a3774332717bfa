"""What a scan must be before it is cleaned: a finite mesh of a face's size, in the unit it is read as."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

SIDES = ("extent_x_mm", "extent_y_mm", "extent_z_mm")
COLUMNS = ("path", "failure", "vertices", "triangles", "non_finite", *SIDES, "unit", "read_as")


@dataclass(frozen=True)
class ScanLimits:
    """The largest side of a face scan, and the least depth that tells a face from a picture of one."""

    smallest_mm: float = 60.0
    largest_mm: float = 600.0
    flattest_mm: float = 15.0
    fewest_vertices: int = 400


def validate_scans(frame: pd.DataFrame, limits: ScanLimits | None = None) -> ValidationReport:
    """Hold the suite against facts with `COLUMNS`; a scan with a `failure` could not be read and has no others."""
    known = frame.copy()
    if set(COLUMNS) <= set(frame.columns):
        known["size"] = [
            f"in {unit}, read as {read_as}: {x:.4g} x {y:.4g} x {z:.4g} mm"
            for unit, read_as, x, y, z in frame[["unit", "read_as", *SIDES]].itertuples(index=False)
        ]
    read = known[known["failure"].isna()].reset_index(drop=True) if "failure" in known else known
    findings = run_rules(known, _rules_of_reading()) + run_rules(read, _rules_of_meshes(limits or ScanLimits()))
    return ValidationReport("scans", len(frame), findings)


def _rules_of_reading() -> list[Rule]:
    expect = load_great_expectations().expectations
    return [Rule("can be read", "failure", expect.ExpectColumnValuesToBeNull(column="failure"))]


def _rules_of_meshes(limits: ScanLimits) -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom_content import ExpectFactsToBeFinite, ExpectMeshesInMillimetresOfAFace

    def at_least(words: str, column: str, least: int, **more: Any) -> Rule:
        bounds: dict[str, Any] = {"column": column, "min_value": least}
        return Rule(words, column, expect.ExpectColumnValuesToBeBetween(**bounds), **more)

    finite: dict[str, Any] = {"column": "non_finite", "min_value": 0, "max_value": 0}
    of_a_face = ExpectMeshesInMillimetresOfAFace(
        column_list=["unit", "read_as", *SIDES],
        smallest_mm=limits.smallest_mm,
        largest_mm=limits.largest_mm,
        flattest_mm=limits.flattest_mm,
    )
    in_mm: dict[str, Any] = {"column": "read_as", "value_set": ["millimetres"]}
    return [
        Rule("was measured", "vertices", ExpectFactsToBeFinite(column_list=["vertices", "triangles", *SIDES])),
        Rule("are finite", "non_finite", expect.ExpectColumnValuesToBeBetween(**finite)),
        Rule("is of a face's size in mm", "size", of_a_face, because="size"),
        at_least(f"are at least {limits.fewest_vertices}", "vertices", limits.fewest_vertices),
        at_least(f"are at least {limits.fewest_vertices}", "triangles", limits.fewest_vertices, severity="warning"),
        Rule("is the millimetre", "read_as", expect.ExpectColumnValuesToBeInSet(**in_mm), severity="warning"),
    ]
