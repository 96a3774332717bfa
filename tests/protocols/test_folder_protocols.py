"""Who is enrolled in anybody's folder of scans."""

from pathlib import Path

import pytest

from models.errors import DataError
from models.protocols.folder import first_scan_protocol, labelled_protocol
from models.readers.folder import index_scans
from models.readers.records import ScanRecord

PATHS = ("anna/10.ply", "anna/2.ply", "anna/b1.ply", "berta/x.obj", "stray.ply", "carl/1.ply", "carl/01.ply")


def indexed(root: Path, labels: str | None = None) -> list[ScanRecord]:
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    if labels is not None:
        (root / "labels.csv").write_text(labels)
    return list(index_scans(root))


def test_the_first_scan_of_each_is_enrolled_and_2_comes_before_10(tmp_path: Path):
    protocol = first_scan_protocol(indexed(tmp_path))
    assert dict(reversed(member) for member in protocol.gallery) == {
        "anna": "anna/2.ply",
        "berta": "berta/x.obj",
        "carl": "carl/01.ply",
    }
    assert set(protocol.probe_ids) == {"anna/10.ply", "anna/b1.ply", "carl/1.ply"}
    assert [left.id for left in protocol.exclusions] == ["stray.ply"]


def test_labels_say_who_is_enrolled_and_who_is_searched(tmp_path: Path):
    labels = (
        "path,role\nanna/10.ply,gallery\nanna/2.ply,probe\nanna/b1.ply,gallery\nberta/x.obj,probe\ncarl/1.ply,gallery\n"
    )
    protocol = labelled_protocol(indexed(tmp_path, labels))
    assert protocol.gallery_ids == ("anna/10.ply", "anna/b1.ply", "carl/1.ply")
    assert protocol.probe_ids == ("anna/2.ply",)
    reasons = {left.id: left.reason.split(":")[0] for left in protocol.exclusions}
    assert reasons == {"stray.ply": "nobody's scan", "carl/01.ply": "no role", "berta/x.obj": "nobody enrolled"}


def test_a_label_can_give_a_stray_scan_its_subject(tmp_path: Path):
    protocol = first_scan_protocol(indexed(tmp_path, "path,subject\nstray.ply,berta\n"))
    assert protocol.exclusions == ()
    assert "stray.ply" in protocol.probe_ids


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("path,role\nanna/2.ply,galery\n", "role 'galery'"),
        ("path,role\nanna/2.ply,probe\n", "no scan has the role gallery"),
        ("path,role\nanna/2.ply,gallery\nberta/x.obj,probe\n", "nothing to search for"),
    ],
)
def test_labels_that_make_no_test_are_refused_with_what_is_wrong(tmp_path: Path, labels: str, words: str):
    with pytest.raises(DataError, match=words):
        labelled_protocol(indexed(tmp_path, labels))


def test_one_scan_each_leaves_nothing_to_search_for():
    with pytest.raises(DataError, match="nobody has a second scan"):
        first_scan_protocol([ScanRecord("a/1.ply", "a"), ScanRecord("b/1.ply", "b")])
