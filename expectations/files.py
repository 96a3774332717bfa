"""Whether the files that a list names still lie there as they were listed."""

import pandas as pd

from expectations.report import ValidationReport
from expectations.runner import Rule, load_great_expectations, run_rules

COLUMNS = ("path", "sha256", "size_bytes", "found_sha256", "found_bytes")


def validate_files(frame: pd.DataFrame) -> ValidationReport:
    """Hold the suite against a table with `COLUMNS`: what is listed, and what was found (None where no file is)."""
    known = frame[[column for column in COLUMNS if column in frame.columns]].copy()
    if "found_sha256" in known:
        known["found"] = [
            f"{found[:12]}... on the disk" if isinstance(found, str) else "no file" for found in known["found_sha256"]
        ]
    return ValidationReport("files on disk", len(frame), run_rules(known, _rules()))


def _rules() -> list[Rule]:
    expect = load_great_expectations().expectations
    from expectations.custom import ExpectHashesToMatchTheDisk

    same = ExpectHashesToMatchTheDisk(column_A="sha256", column_B="found_sha256")
    size = expect.ExpectColumnPairValuesToBeEqual(
        column_A="size_bytes", column_B="found_bytes", ignore_row_if="either_value_is_missing"
    )
    return [
        Rule("is there", "found_bytes", expect.ExpectColumnValuesToNotBeNull(column="found_bytes")),
        Rule("is the file that was listed", "sha256", same, because="found"),
        Rule("is as large as when it was listed", "size_bytes", size),
    ]
