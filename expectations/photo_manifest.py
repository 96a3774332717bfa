"""What a list of photos must satisfy before anything is trained on it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "sha256", "subject", "role", "size_bytes", "width", "height", "points", "failure")
SPLIT_OF_ROLE = {"gallery": "test", "probe": "test"}  # the two sides of one test; every other role is its own split
SMALLEST_SIDE, LARGEST_SIDE = 32, 20_000
FACE_POINTS = 5


def validate_photo_manifest(
    frame: pd.DataFrame,
    fewest_people: int = 2,
    fewest_photos: int = 2,
    most_failures: float = 0.05,
    split_of_role: Mapping[str, str] = SPLIT_OF_ROLE,
) -> ValidationReport:
    """Hold the photo suite against a manifest with `COLUMNS`; other columns are not looked at.

    `points` are tuples ((x, y), ...) in the pixel frame or None. Rows with a `failure` are listed, may be at most the
    share `most_failures`, and are left out of what is asked of photos. A missing column fails what needs it.
    """
    known = frame[[column for column in COLUMNS if column in frame.columns]].copy()
    if "role" in known:
        known["split"] = known["role"].replace(dict(split_of_role))
    if "points" in known:
        known["points"] = known["points"].map(_as_tuples)
    usable = known[known["failure"].isna()] if "failure" in known else known
    findings = run_rules(known, _rules_of_lists(most_failures)) + run_rules(
        usable.reset_index(drop=True), _rules_of_photos(fewest_people, fewest_photos)
    )
    return ValidationReport("photo manifest", len(frame), findings)


def _rules_of_lists(most_failures: float) -> list[Rule]:
    """What holds for every row, also for a photo that gave nothing."""
    expect = load_great_expectations().expectations
    return [
        Rule("is given", "path", expect.ExpectColumnValuesToNotBeNull(column="path")),
        Rule("is listed once", "path", expect.ExpectColumnValuesToBeUnique(column="path")),
        Rule(
            f"at most {most_failures:.0%} of the photos gave nothing",
            "failure",
            expect.ExpectColumnValuesToBeNull(column="failure", mostly=1 - most_failures),
        ),
    ]


def _rules_of_photos(fewest_people: int, fewest_photos: int) -> list[Rule]:
    return [*_rules_of_files(), *_rules_of_people(fewest_people, fewest_photos)]


def _rules_of_files() -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom import ExpectPointsToLieInsideThePicture

    def between(words: str, column: str, least: int, most: int | None) -> Rule:
        limits: dict[str, Any] = {"column": column, "min_value": least, "max_value": most}
        return Rule(words, column, expect.ExpectColumnValuesToBeBetween(**limits))

    sides = f"is {SMALLEST_SIDE} to {LARGEST_SIDE} pixels"
    inside = ExpectPointsToLieInsideThePicture(column_list=["points", "width", "height"], many=FACE_POINTS)
    return [
        Rule("is given", "sha256", expect.ExpectColumnValuesToNotBeNull(column="sha256")),
        Rule(
            "is a SHA-256",
            "sha256",
            expect.ExpectColumnValuesToMatchRegex(column="sha256", regex=r"^[0-9a-f]{64}\Z"),
        ),
        Rule(
            "no photo is there twice",
            "sha256",
            expect.ExpectColumnValuesToBeUnique(column="sha256"),
            severity="warning",
        ),
        between("is not an empty file", "size_bytes", 1, None),
        *(
            Rule("is given", column, expect.ExpectColumnValuesToNotBeNull(column=column))
            for column in ("size_bytes", "width", "height")
        ),
        between(sides, "width", SMALLEST_SIDE, LARGEST_SIDE),
        between(sides, "height", SMALLEST_SIDE, LARGEST_SIDE),
        Rule("are five and inside the picture", "points", inside),
    ]


def _rules_of_people(fewest_people: int, fewest_photos: int) -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom import ExpectColumnPairValuesToHaveOneBForEachA as OneForEach
    from expectations.custom import ExpectColumnValuesToOccurAtLeast

    people = expect.ExpectColumnUniqueValueCountToBeBetween(column="subject", min_value=fewest_people)
    often = ExpectColumnValuesToOccurAtLeast(column="subject", fewest=fewest_photos)
    return [
        Rule("is given", "subject", expect.ExpectColumnValuesToNotBeNull(column="subject")),
        Rule("is given", "role", expect.ExpectColumnValuesToNotBeNull(column="role")),
        Rule(f"has at least {fewest_photos} photos", "subject", often),
        Rule(f"there are at least {fewest_people} people", "subject", people),
        Rule("no photo shows two people", "sha256", OneForEach(column_A="sha256", column_B="subject")),
        Rule("nobody is in two splits", "subject", OneForEach(column_A="subject", column_B="split")),
        Rule("no photo is in two splits", "sha256", OneForEach(column_A="sha256", column_B="split")),
    ]


def _as_tuples(points: Any) -> tuple[tuple[float, float], ...] | None:
    """Points as a value that can be hashed; None and NaN, pandas' ways to say nothing, become None."""
    if points is None or isinstance(points, float):
        return None
    return tuple((float(x), float(y)) for x, y in points)
