from collections.abc import Callable

import pandas as pd
import pytest

from expectations.manifest import ManifestLimits, validate_manifest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
POINTS = ((30.0, 40.0), (66.0, 40.0), (48.0, 60.0), (34.0, 80.0), (62.0, 80.0))


def manifest() -> pd.DataFrame:
    rows = [
        {
            "path": f"p{person}/{number}.jpg",
            "sha256": f"{person * 100 + number:064x}",
            "subject": f"p{person}",
            "role": "train" if person < 3 else ("gallery" if number == 0 else "probe"),
            "size_bytes": 2000,
            "width": 96,
            "height": 112,
            "points": POINTS if number else None,
            "failure": None,
            "labels": {"expression": "joy"},
        }
        for person in range(5)
        for number in range(6)
    ]
    return pd.DataFrame(rows)


def put(row: int, column: str, value: object) -> Callable[[pd.DataFrame], None]:
    def change(frame: pd.DataFrame) -> None:
        frame[column] = frame[column].astype(object)
        frame.at[row, column] = value

    return change


def test_a_sound_manifest_passes_and_says_nothing_on_the_console(capfd: pytest.CaptureFixture[str]):
    report = validate_manifest(manifest(), ManifestLimits("photo", 5, 6))
    assert report.passed
    assert report.rows == 30
    assert report.failures == report.warnings == ()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "expected", "rows"),
    [
        (put(4, "path", None), {("path", "is given")}, None),
        (put(4, "path", "p0/3.jpg"), {("path", "is listed once")}, {"p0/3.jpg"}),
        (put(4, "sha256", "g" * 64), {("sha256", "is a SHA-256")}, {"p0/4.jpg"}),
        (put(4, "sha256", f"{9:064x}\n"), {("sha256", "is a SHA-256")}, {"p0/4.jpg"}),
        (put(4, "sha256", None), {("sha256", "is given")}, {"p0/4.jpg"}),
        (put(4, "sha256", f"{100:064x}"), {("sha256", "no photo shows two people")}, {"p0/4.jpg", "p1/0.jpg"}),
        (put(4, "subject", None), {("subject", "is given")}, {"p0/4.jpg"}),
        (
            put(4, "role", "probe"),
            {("subject", "nobody is in two splits")},
            {f"p0/{number}.jpg" for number in range(6)},
        ),
        (put(4, "size_bytes", 0), {("size_bytes", "is not an empty file")}, {"p0/4.jpg"}),
        (put(0, "width", 31), {("width", "is 32 to 20000 pixels")}, {"p0/0.jpg"}),
        (put(4, "height", 20001), {("height", "is 32 to 20000 pixels")}, {"p0/4.jpg"}),
        (put(4, "points", (*POINTS[:4], (95.6, 5.0))), {("points", "are five and inside the picture")}, {"p0/4.jpg"}),
        (put(4, "points", POINTS[:4]), {("points", "are five and inside the picture")}, {"p0/4.jpg"}),
        (
            put(4, "points", (*POINTS[:4], (float("nan"), 5.0))),
            {("points", "are five and inside the picture")},
            {"p0/4.jpg"},
        ),
    ],
)
def test_each_fault_is_found_by_its_own_rule_and_its_rows_are_named(
    change: Callable[[pd.DataFrame], None], expected: set[tuple[str, str]], rows: set[str] | None
):
    frame = manifest()
    change(frame)
    report = validate_manifest(frame, ManifestLimits("photo", 5, 5))
    assert not report.passed
    assert {(finding.column, finding.expectation) for finding in report.failures} == expected
    (failure,) = report.failures
    assert rows is None or set(failure.rows) == rows
    assert failure.count == (len(rows) if rows else 1) or failure.expectation == "is listed once"


def test_the_same_photo_twice_of_one_person_is_only_a_warning():
    frame = manifest()
    put(4, "sha256", f"{3:064x}")(frame)
    report = validate_manifest(frame)
    assert report.passed
    assert [finding.expectation for finding in report.warnings] == ["no photo is there twice"]


def test_too_few_people_and_too_few_photos_are_found():
    assert [f.expectation for f in validate_manifest(manifest(), ManifestLimits("photo", 6, 6)).failures] == [
        "there are at least 6 people"
    ]
    few = validate_manifest(manifest().drop(index=range(1, 6)), ManifestLimits("photo", 5, 2))
    assert [(f.expectation, f.rows) for f in few.failures] == [("has at least 2 photos", ("p0/0.jpg",))]


def test_photos_that_gave_nothing_are_left_out_until_they_are_too_many():
    frame = manifest()
    for column, value in {"failure": "no face", "subject": None, "width": None, "size_bytes": 0}.items():
        put(4, column, value)(frame)
    assert validate_manifest(frame).passed
    put(5, "failure", "no face")(frame)
    (failure,) = validate_manifest(frame).failures
    assert (failure.column, set(failure.rows)) == ("failure", {"p0/4.jpg", "p0/5.jpg"})


def test_a_missing_column_fails_what_needs_it_in_one_line():
    report = validate_manifest(manifest().drop(columns="subject"))
    assert {finding.column for finding in report.failures} >= {"subject"}
    assert "cannot be checked" in report.first_failure()
    assert "\n" not in report.first_failure()


def test_an_empty_manifest_does_not_pass():
    assert not validate_manifest(manifest().iloc[:0]).passed


def test_many_failing_rows_are_counted_and_twenty_are_named():
    frame = manifest()
    frame["sha256"] = "short"
    failure = next(f for f in validate_manifest(frame).failures if f.expectation == "is a SHA-256")
    assert (failure.count, len(failure.rows)) == (30, 20)


def test_scans_are_not_asked_for_pixels():
    frame = manifest().drop(columns=["width", "height", "points"])
    assert not validate_manifest(frame).passed
    assert validate_manifest(frame, ManifestLimits("scan")).passed


def test_a_subject_without_a_neutral_face_or_with_two_is_found_where_a_protocol_enrols_neutrals():
    frame = manifest()
    frame["role"] = ["gallery" if number == 0 else "probe" for _ in range(5) for number in range(6)]
    frame["expression"] = ["neutral" if number == 0 else "happy" for _ in range(5) for number in range(6)]
    needs = ManifestLimits(neutrals="one")
    assert validate_manifest(frame, needs).passed
    two = frame.copy()
    two.loc[2, "expression"] = "neutral"
    (failure,) = validate_manifest(two, needs).failures
    assert (set(failure.rows), failure.count) == ({"p0/0.jpg", "p0/2.jpg"}, 2)
    assert validate_manifest(two, ManifestLimits(neutrals="some")).passed
    none = frame.copy()
    none.loc[6, "expression"] = "sad"
    (failure,) = validate_manifest(none, needs).failures
    assert set(failure.rows) == {f"p1/{number}.jpg" for number in range(6)}
    enrolled_smiling = frame.copy()
    enrolled_smiling.loc[[0, 1], "role"] = ["probe", "gallery"]
    (failure,) = validate_manifest(enrolled_smiling, ManifestLimits(neutrals="some")).failures
    assert failure.rows == ("p0/1.jpg",)


def test_both_sessions_of_one_person_on_two_sides_are_found_also_under_two_labels():
    frame = manifest()
    frame["subject"] = [f"{session}F0{person}" for person in range(5) for session in "AAABBB"]
    frame["named"] = [f"F0{person}" for person in range(5) for _ in range(6)]
    frame["role"] = "train"
    apart = validate_manifest(frame)
    assert apart.passed
    assert [finding.expectation for finding in apart.warnings] == ["one label for each person that names say"]
    frame.loc[frame["subject"] == "BF03", "role"] = "validation"
    (failure,) = validate_manifest(frame).failures
    assert failure.column == "named"
    assert set(failure.rows) == {f"p3/{number}.jpg" for number in range(6)}


def test_a_label_that_the_name_contradicts_is_found_where_names_are_binding():
    frame = manifest()
    frame["named"] = frame["subject"]
    frame.loc[7, "subject"] = "p2"
    (failure,) = validate_manifest(frame, ManifestLimits(strict_names=True)).failures
    assert failure.named() == ("p1/1.jpg (p1, p2)",)
