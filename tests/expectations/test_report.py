"""Reports are data, survive JSON, and show as Markdown, a page and one line."""

import json
import re

from expectations.report import Finding, Validation, ValidationReport, page_of, validation_from

NAME = "<script>alert(1)</script>|a.jpg"
EVIL = ValidationReport(
    "photo manifest",
    2,
    (
        Finding("is given", "path", True),
        Finding("is a SHA-256", "sha256", False, count=1, rows=(NAME,), reasons=("<b>short</b>",)),
        Finding("is bright", "brightness", False, severity="warning", count=30, rows=("b.jpg",)),
    ),
)
EMPTY = ValidationReport("scans", 0, (Finding("can be read", "failure", True, count=0),))
EVIL_RUN = Validation("photos", "own & others", (EVIL,))


def test_the_page_loads_nothing_from_elsewhere_and_escapes_file_names():
    page = page_of("Validation", [EVIL_RUN])
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>short" not in page
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']?([^"'>\s]+)|url\(([^)]+)\)""", page)
    assert {first or second for first, second in addresses} == {"#photos"}
    assert not re.search(r"@import|https?://|//", page)


def test_the_index_leads_to_every_validation():
    page = page_of("Validation", [EVIL_RUN, Validation("scans", "bu3dfe", (EMPTY,))])
    assert re.findall(r'href="#([^"]+)"', page) == re.findall(r'<section id="([^"]+)"', page) == ["photos", "scans"]


def test_the_page_says_how_many_failing_rows_it_does_not_list():
    assert "and 29 more" in page_of("Validation", [EVIL_RUN])


def test_the_markdown_table_keeps_its_columns_whatever_a_file_is_called():
    rows = [line for line in EVIL.to_markdown().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {6}


def test_a_validation_survives_json():
    assert validation_from(json.loads(json.dumps(EVIL_RUN.as_dict()))) == EVIL_RUN


def test_a_line_names_the_row_its_reason_and_what_else_fails():
    scans = ValidationReport("scans", 3, (Finding("can be read", "failure", False, count=2, rows=("a.obj",)),))
    line = Validation("photos", "mine", (EVIL, scans)).first_failure()
    assert line == f"sha256: is a SHA-256 - 1 row fails, first {NAME} (<b>short</b>) (and 1 more)"


def test_what_looked_at_nothing_has_not_passed():
    assert not ValidationReport("photo manifest", 0, ()).passed
    assert not EMPTY.passed
    assert not Validation("scans", "none", ()).passed
    assert Validation("scans", "none", (EMPTY,)).first_failure() == "scans: nothing was checked"


def test_metrics_count_rows_failures_and_warnings():
    scans = ValidationReport("scans", 7, (Finding("can be read", "failure", True, count=0),))
    counted = Validation("photos", "mine", (EVIL, scans)).metrics()
    assert counted == {"validation.photos.rows": 7, "validation.photos.failed": 1, "validation.photos.warnings": 1}
