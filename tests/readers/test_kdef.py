"""KDEF: the names and their errata, one person in two sessions, and photos that are black."""

import itertools

import numpy as np
import pytest

from models.errors import DataError, PhotoError
from models.readers.kdef import EXPRESSIONS, YAW_DEG, index_kdef, write_kdef
from models.readers.pictures import require_not_black
from models.types import Photo

JPEG = b"\xff\xd8\xff\xe0 not decoded here"


def one(path):
    (record,) = index_kdef([path])
    return record


def test_every_name_says_who_how_and_from_where(tmp_path):
    for session, expression, angle in itertools.product("AB", EXPRESSIONS, YAW_DEG):
        path = write_kdef(tmp_path, session, "F01", expression, angle, JPEG)
        assert path == f"{session}F01/{session}F01{expression}{angle}.JPG"
        assert (tmp_path / path).read_bytes() == JPEG
    records = list(index_kdef(tmp_path))
    assert len(records) == 70
    assert {(record.subject, record.gender) for record in records} == {("F01", "f")}, "A and B are one person"
    assert {record.labels["session"] for record in records} == {"A", "B"}
    assert len({tuple(record.labels.values()) for record in records}) == 70


def test_af_is_a_session_and_sex_at_the_beginning_and_afraid_in_the_middle():
    afraid = one("AF01/AF01AFFL.JPG")
    assert (afraid.subject, afraid.labels["expression"], afraid.labels["yaw_deg"]) == ("F01", "afraid", "-90")
    assert one("AF01/AF01NES.JPG").labels["expression"] == "neutral"


def test_the_straight_angle_is_one_letter():
    straight = one("BM35/BM35SUS.JPG")
    assert (straight.labels["angle"], straight.labels["yaw_deg"]) == ("S", "0")
    assert (straight.subject, straight.gender, straight.labels["expression"]) == ("M35", "m", "surprised")


@pytest.mark.parametrize(
    ("path", "subject", "expression", "angle", "right"),
    [
        ("AF31/AF31V.JPG", "F31", "sad", "HL", "AF31SAHL"),
        ("AM31/AM31H.JPG", "M31", "surprised", "HR", "AM31SUHR"),
        ("AKDEF/FAHR.JPG", None, "afraid", "HR", "FAFHR"),
    ],
)
def test_names_that_were_published_wrong_are_understood(path, subject, expression, angle, right):
    record = one(path)
    assert (record.path, record.subject) == (path, subject)
    assert (record.labels["expression"], record.labels["angle"]) == (expression, angle)
    assert record.labels["corrected"] == right


def test_averaged_faces_are_nobodys():
    record = one("AKDEF/MHAFR.JPG")
    assert (record.subject, record.gender, record.labels["expression"]) == (None, "m", "happy")
    assert "session" not in record.labels


@pytest.mark.parametrize(
    "path", ["AF01/AF01XXFL.JPG", "AF01/AF01ANXX.JPG", "AF01/photo.JPG", "AF36/AF36ANFL.JPG", "AF00/AF00ANFL.JPG"]
)
def test_other_names_in_a_persons_folder_are_refused(path):
    with pytest.raises(DataError, match="not a KDEF name like"):
        index_kdef([path])


def test_a_photo_in_another_persons_folder_is_refused():
    with pytest.raises(DataError, match="a file of AF02 in the folder of AF01"):
        index_kdef(["AF01/AF02ANFL.JPG"])
    with pytest.raises(DataError, match="a file of AF01 in the folder of BF01"):
        index_kdef(["BF01/AF01ANFL.JPG"])


def test_other_files_are_left_alone_and_the_ending_may_be_small():
    assert one("AF01/AF01ANFL.jpg").subject == "F01"
    with pytest.raises(DataError, match="no AF01"):
        index_kdef(["readme.txt", "scans/1.JPG", "AF01/Thumbs.db"])


def test_the_writer_refuses_what_kdef_does_not_have(tmp_path):
    for session, subject, expression, angle in (
        ("C", "F01", "AN", "S"),
        ("A", "F01", "XX", "S"),
        ("A", "F1", "AN", "S"),
    ):
        with pytest.raises(DataError):
            write_kdef(tmp_path, session, subject, expression, angle, JPEG)
    with pytest.raises(DataError, match="not a JPEG"):
        write_kdef(tmp_path, "A", "F01", "AN", "S", b"PNG")
    assert not list(tmp_path.iterdir())


def test_a_black_photo_is_refused_and_a_dark_one_is_not():
    rng = np.random.default_rng(0)
    black = (rng.random((762, 562, 3)) < 0.6).astype(np.uint8)
    with pytest.raises(PhotoError, match=r"a.JPG: the photo is black \(mean 0.6"):
        require_not_black(Photo(black, "a.JPG"))
    dark = Photo(black + np.uint8(12), "b.JPG")
    assert require_not_black(dark) is dark
