"""Each suite of facts: what is sound passes, and each fault is found by its own rule with its row named."""

import pandas as pd
import pytest

from expectations.blocks import validate_blocks
from expectations.coefficients import validate_coefficients
from expectations.embeddings import validate_embeddings
from expectations.files import validate_files
from expectations.normal_images import validate_normal_images
from expectations.photos import validate_photos
from expectations.report import ValidationReport
from expectations.scans import validate_scans

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ROWS = 6
SOUND = {
    "photos": {
        "failure": None,
        "width": 96.0,
        "height": 112.0,
        "brightness": 90.0,
        "contrast": 40.0,
        "listed_width": 96,
        "listed_height": 112,
    },
    "scans": {
        "failure": None,
        "vertices": 9000.0,
        "triangles": 17000.0,
        "non_finite": 0.0,
        "extent_x_mm": 160.0,
        "extent_y_mm": 220.0,
        "extent_z_mm": 110.0,
        "unit": "millimetres",
        "read_as": "millimetres",
    },
    "coefficients": {
        "failure": None,
        "non_finite": 0.0,
        "largest_identity": 2.0,
        "largest_expression": 3.0,
        "identity_norm": 8.0,
    },
    "normal images": {
        "length_error": 0.006,
        "valid_share": 0.5,
        "torn": 0.0,
        "mean_z": 0.8,
        "lowest": -0.7,
        "highest": 1.0,
    },
    "embeddings": {"network": "lmcl-x", "non_finite": 0.0, "norm": 1.0, "from_mean": 0.6},
    "files on disk": {"sha256": "a" * 64, "size_bytes": 10, "found_sha256": "a" * 64, "found_bytes": 10},
}
SUITES = {
    "photos": validate_photos,
    "scans": validate_scans,
    "coefficients": validate_coefficients,
    "normal images": validate_normal_images,
    "embeddings": validate_embeddings,
    "files on disk": validate_files,
}
NAN = float("nan")


def facts(suite: str) -> pd.DataFrame:
    return pd.DataFrame([{"path": f"{number}.x", **SOUND[suite]} for number in range(ROWS)])


def changed(suite: str, row: int, **values: object) -> pd.DataFrame:
    frame = facts(suite)
    for column, value in values.items():
        frame[column] = frame[column].astype(object)
        frame.at[row, column] = value
    return frame


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_sound_passes_without_a_warning(suite: str):
    report = SUITES[suite](facts(suite))
    assert (report.suite, report.rows, report.failures, report.warnings) == (suite, ROWS, (), ())
    assert report.passed


@pytest.mark.parametrize(
    ("suite", "fault", "expected", "reason"),
    [
        ("photos", {"failure": "cut short"}, ("failure", "can be read"), "cut short"),
        ("photos", {"brightness": 0.6}, ("brightness", "is not black"), "0.6"),
        ("photos", {"contrast": 1.0}, ("contrast", "shows more than one colour"), "1"),
        ("photos", {"width": 95.0}, ("width", "is as listed"), "95, 96"),
        ("photos", {"brightness": NAN}, ("brightness", "was measured"), "96, 112, nothing, 40"),
        ("scans", {"failure": "not finite"}, ("failure", "can be read"), "not finite"),
        ("scans", {"non_finite": 2.0}, ("non_finite", "are finite"), "2"),
        (
            "scans",
            {"unit": "metres", "extent_x_mm": 0.16, "extent_y_mm": 0.22, "extent_z_mm": 0.11},
            ("size", "is of a face's size in mm"),
            "in metres, read as millimetres: 0.16 x 0.22 x 0.11 mm",
        ),
        (
            "scans",
            {"unit": "inches", "read_as": "centimetres", "extent_y_mm": 90.0},
            ("size", "is of a face's size in mm"),
            "in inches, read as centimetres: 160 x 90 x 110 mm",
        ),
        (
            "scans",
            {"extent_z_mm": 0.5},
            ("size", "is of a face's size in mm"),
            "in millimetres, read as millimetres: 160 x 220 x 0.5 mm",
        ),
        ("scans", {"vertices": 399.0}, ("vertices", "are at least 400"), "399"),
        (
            "coefficients",
            {"non_finite": 1.0},
            ("coefficients", "are finite and within 8 standard deviations"),
            "1, 2, 3",
        ),
        (
            "coefficients",
            {"largest_expression": 8.5},
            ("coefficients", "are finite and within 8 standard deviations"),
            "0, 2, 8.5",
        ),
        ("normal images", {"length_error": 0.05}, ("length_error", "normals are unit"), "0.05"),
        ("normal images", {"torn": 3.0}, ("torn", "all three components are there or none"), "3"),
        (
            "normal images",
            {"valid_share": 0.01},
            ("valid_share", "at least 5% of the pixels show a surface"),
            "0.01",
        ),
        ("normal images", {"mean_z": -0.8}, ("mean_z", "the face looks at the camera"), "-0.8"),
        (
            "normal images",
            {"lowest": 0.0},
            ("lowest", "the surface is curved: some normals look far aside"),
            "0",
        ),
        (
            "normal images",
            {"highest": 0.5},
            ("highest", "some normals look straight along an axis"),
            "0.5",
        ),
        ("embeddings", {"non_finite": 4.0}, ("non_finite", "are finite"), "4"),
        ("embeddings", {"norm": 0.5}, ("norm", "is 1"), "0.5"),
        (
            "files on disk",
            {"found_sha256": "b" * 64},
            ("sha256", "is the file that was listed"),
            f"{'b' * 12}... on the disk",
        ),
        ("files on disk", {"found_bytes": 9}, ("size_bytes", "is as large as when it was listed"), "10, 9"),
    ],
)
def test_each_fault_is_found_by_its_own_rule_and_its_row_is_named(
    suite: str, fault: dict[str, object], expected: tuple[str, str], reason: str
):
    report = SUITES[suite](changed(suite, 4, **fault))
    assert [(finding.column, finding.expectation) for finding in report.failures] == [expected]
    (failure,) = report.failures
    row = "lmcl-x of 4.x" if suite == "embeddings" else "4.x"
    assert (failure.rows, failure.reasons, failure.count) == ((row,), (reason,), 1)


@pytest.mark.parametrize(
    ("suite", "unusual", "column"),
    [
        ("photos", {"brightness": 12.0}, "brightness"),
        ("scans", {"read_as": "metres", "unit": "metres"}, "read_as"),
        ("coefficients", {"largest_identity": 6.0}, "coefficients"),
        ("normal images", {"valid_share": 0.1}, "valid_share"),
    ],
)
def test_what_is_only_unusual_is_a_warning(suite: str, unusual: dict[str, object], column: str):
    report = SUITES[suite](changed(suite, 1, **unusual))
    assert report.passed
    assert [(finding.column, finding.rows) for finding in report.warnings] == [(column, ("1.x",))]


def test_a_file_that_is_gone_is_found():
    report = validate_files(changed("files on disk", 2, found_sha256=None, found_bytes=None))
    assert {finding.expectation for finding in report.failures} == {"is there", "is the file that was listed"}
    assert {finding.rows for finding in report.failures} == {("2.x",)}


def test_a_network_that_gives_one_embedding_for_all_is_found_and_the_others_are_not():
    frame = pd.concat([facts("embeddings"), facts("embeddings")], ignore_index=True)
    frame.loc[ROWS:, "network"] = "lmcl-y"
    frame.loc[ROWS:, "from_mean"] = 1e-6
    (failure,) = validate_embeddings(frame).failures
    assert failure.expectation == "are not all alike"
    assert failure.rows == tuple(f"lmcl-y of {number}.x" for number in range(ROWS))


def test_too_many_photos_without_a_face_refuse_and_some_warn():
    frame = facts("coefficients")
    frame["failure"] = frame["failure"].astype(object)
    frame.loc[:1, "failure"] = "no face"
    assert [finding.rows for finding in validate_coefficients(frame).warnings] == [("0.x", "1.x")]
    frame.loc[:3, "failure"] = "no face"
    assert [finding.count for finding in validate_coefficients(frame).failures] == [4]


def test_a_missing_column_fails_what_needs_it():
    report = validate_normal_images(facts("normal images").drop(columns="torn"))
    assert "torn" in {finding.column for finding in report.failures}
    assert "cannot be checked" in report.first_failure()


def test_blocks_add_up_to_the_report_of_the_whole():
    frame = pd.concat([facts("photos")] * 9, ignore_index=True)
    frame["path"] = [f"{number}.jpg" for number in range(len(frame))]
    frame.loc[5:40, "brightness"] = 1.0
    blocks = (frame.iloc[start : start + 7].reset_index(drop=True) for start in range(0, len(frame), 7))
    assert validate_blocks(blocks, validate_photos) == validate_photos(frame)


def test_no_blocks_at_all_have_not_passed():
    assert not validate_blocks([], validate_photos).passed


def test_a_suite_asked_about_nothing_has_not_passed():
    reports: list[ValidationReport] = [suite(facts(name).iloc[:0]) for name, suite in SUITES.items()]
    assert [report.passed for report in reports] == [False] * len(reports)
