"""What a list of photos or scans must satisfy before anything is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "sha256", "subject", "role", "size_bytes", "width", "height", "points", "failure", "expression")
NAMED = "named"
SPLIT_OF_ROLE = {"gallery": "test", "probe": "test", "excluded": "test"}
"""The two sides of one test, and what its protocol leaves out; every other role is its own split."""
SMALLEST_SIDE, LARGEST_SIDE = 32, 20_000
FACE_POINTS = 5

Kind = Literal["photo", "scan"]
Neutrals = Literal["one", "some"]


@dataclass(frozen=True)
class ManifestLimits:
    """What is asked of a list, beside what always holds.

    `neutrals` is what the protocol needs of each subject to enrol it: exactly one neutral face, or at least one.
    `strict_names` is for data sets whose labels come from the names: the two must agree.
    """

    kind: Kind = "photo"
    fewest_people: int = 2
    fewest_files: int = 2
    most_failures: float = 0.05
    neutrals: Neutrals | None = None
    strict_names: bool = False
    split_of_role: Mapping[str, str] = field(default_factory=lambda: dict(SPLIT_OF_ROLE))


def validate_manifest(frame: pd.DataFrame, limits: ManifestLimits | None = None) -> ValidationReport:
    """Hold the suite against a manifest with `COLUMNS`; other columns are not looked at.

    `points` are tuples ((x, y), ...) in the pixel frame or None; width, height and points are asked of photos only,
    `expression` only where neutral faces are needed. A column `named` says whose file it is by its own name (None
    where it does not say). Rows with a `failure` are listed, may be at most the share `most_failures`, and are left
    out of what is asked of files. A missing column fails what needs it.
    """
    asked = limits or ManifestLimits()
    known = frame[[column for column in (*COLUMNS, NAMED) if column in frame.columns]].copy()
    if "role" in known:
        known["split"] = known["role"].replace(dict(asked.split_of_role))
    if "points" in known:
        known["points"] = known["points"].map(_as_tuples)
    usable = known[known["failure"].isna()] if "failure" in known else known
    rules = [*_rules_of_files(asked.kind), *_rules_of_people(asked), *_rules_of_names(usable, asked)]
    findings = run_rules(known, _rules_of_lists(asked)) + run_rules(usable.reset_index(drop=True), rules)
    return ValidationReport(f"{asked.kind} manifest", len(frame), findings)


def _rules_of_lists(asked: ManifestLimits) -> list[Rule]:
    """What holds for every row, also for a file that gave nothing."""
    expect = load_great_expectations().expectations
    few = expect.ExpectColumnValuesToBeNull(column="failure", mostly=1 - asked.most_failures)
    return [
        Rule("is given", "path", expect.ExpectColumnValuesToNotBeNull(column="path")),
        Rule("is listed once", "path", expect.ExpectColumnValuesToBeUnique(column="path")),
        Rule(f"at most {asked.most_failures:.0%} of the {asked.kind}s gave nothing", "failure", few),
    ]


def _rules_of_files(kind: Kind) -> list[Rule]:
    expect = load_great_expectations().expectations
    form = expect.ExpectColumnValuesToMatchRegex(column="sha256", regex=r"^[0-9a-f]{64}\Z")
    once = expect.ExpectColumnValuesToBeUnique(column="sha256")
    return [
        Rule("is given", "sha256", expect.ExpectColumnValuesToNotBeNull(column="sha256")),
        Rule("is a SHA-256", "sha256", form),
        Rule(f"no {kind} is there twice", "sha256", once, severity="warning"),
        _between("is not an empty file", "size_bytes", 1, None),
        Rule("is given", "size_bytes", expect.ExpectColumnValuesToNotBeNull(column="size_bytes")),
        *(_rules_of_pictures() if kind == "photo" else ()),
    ]


def _rules_of_pictures() -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom import ExpectPointsToLieInsideThePicture

    sides = f"is {SMALLEST_SIDE} to {LARGEST_SIDE} pixels"
    inside = ExpectPointsToLieInsideThePicture(column_list=["points", "width", "height"], many=FACE_POINTS)
    return [
        Rule("is given", "width", expect.ExpectColumnValuesToNotBeNull(column="width")),
        Rule("is given", "height", expect.ExpectColumnValuesToNotBeNull(column="height")),
        _between(sides, "width", SMALLEST_SIDE, LARGEST_SIDE),
        _between(sides, "height", SMALLEST_SIDE, LARGEST_SIDE),
        Rule("are five and inside the picture", "points", inside),
    ]


def _rules_of_people(asked: ManifestLimits) -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom import ExpectColumnPairValuesToHaveOneBForEachA as OneForEach
    from expectations.custom import ExpectColumnValuesToOccurAtLeast

    people = expect.ExpectColumnUniqueValueCountToBeBetween(column="subject", min_value=asked.fewest_people)
    often = ExpectColumnValuesToOccurAtLeast(column="subject", fewest=asked.fewest_files)
    return [
        Rule("is given", "subject", expect.ExpectColumnValuesToNotBeNull(column="subject")),
        Rule("is given", "role", expect.ExpectColumnValuesToNotBeNull(column="role")),
        Rule(f"has at least {asked.fewest_files} {asked.kind}s", "subject", often),
        Rule(f"there are at least {asked.fewest_people} people", "subject", people),
        Rule(f"no {asked.kind} shows two people", "sha256", OneForEach(column_A="sha256", column_B="subject")),
        Rule("nobody is in two splits", "subject", OneForEach(column_A="subject", column_B="split")),
        Rule(f"no {asked.kind} is in two splits", "sha256", OneForEach(column_A="sha256", column_B="split")),
        *(_rules_of_galleries(asked.neutrals) if asked.neutrals else ()),
    ]


def _rules_of_galleries(neutrals: Neutrals) -> list[Rule]:
    from expectations.custom import ExpectOneNeutralForEachSubject

    words = "each subject has one neutral face" if neutrals == "one" else "each subject has a neutral face"
    columns = ["subject", "role", "expression"]
    enrolled = ExpectOneNeutralForEachSubject(column_list=columns, exactly_one=neutrals == "one")
    return [Rule(f"{words}, and who is enrolled is so with it", "expression", enrolled)]


def _rules_of_names(usable: pd.DataFrame, asked: ManifestLimits) -> list[Rule]:
    """What a file's own name says of its owner, against its label; both of KDEF's sessions name one person."""
    if NAMED not in usable:
        return []
    expect = load_great_expectations().expectations
    from expectations.custom import ExpectColumnPairValuesToHaveOneBForEachA as OneForEach

    agree = (
        Rule(
            "is who the file's name says",
            "subject",
            expect.ExpectColumnPairValuesToBeEqual(
                column_A=NAMED, column_B="subject", ignore_row_if="either_value_is_missing"
            ),
        )
        if asked.strict_names
        else Rule(
            "one label for each person that names say",
            "subject",
            OneForEach(column_A=NAMED, column_B="subject"),
            severity="warning",
        )
    )
    apart = OneForEach(column_A=NAMED, column_B="split")
    return [agree, Rule("no person that names say, by any session, is in two splits", NAMED, apart)]


def _between(words: str, column: str, least: int, most: int | None) -> Rule:
    expect = load_great_expectations().expectations
    limits: dict[str, Any] = {"column": column, "min_value": least, "max_value": most}
    return Rule(words, column, expect.ExpectColumnValuesToBeBetween(**limits))


def _as_tuples(points: Any) -> tuple[tuple[float, float], ...] | None:
    """Points as a value that can be hashed; None and NaN, pandas' ways to say nothing, become None."""
    if points is None or isinstance(points, float):
        return None
    return tuple((float(x), float(y)) for x, y in points)
