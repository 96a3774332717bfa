"""VGGFace2: what is written reads back, and the format's traps."""

import itertools

import pytest

from models.errors import DataError
from models.readers.records import Box
from models.readers.vggface2 import index_vggface2
from models.readers.vggface2_tables import Identity
from models.readers.vggface2_writer import write_metadata, write_photo

JPEG = b"\xff\xd8\xff\xe0 not decoded here"
PEOPLE = [Identity("n000002", "A_Fine_Frenzy", 3, True, "f"), Identity("n000007", "Ålund, Jr.", 1, True, "m")]
POINTS = ((75.25, 110.5), (103.0, 104.75), (90.0, 130.125), (80.0, 150.0), (101.5, 146.0))


def write_set(root):
    paths = [write_photo(root, "train", *numbers, JPEG) for numbers in ((2, 1, 1), (2, 1, 2), (2, 30, 1), (7, 9, 1))]
    boxes = [("n000002/0001_01", Box(-12, 3, 200, 260)), ("n000007/0009_01", Box(5, 6, 7, 8))]
    write_metadata(root, "train", PEOPLE, boxes, [("n000002/0001_02", POINTS)])
    return paths


def test_what_is_written_reads_back(tmp_path):
    paths = write_set(tmp_path)
    records = list(index_vggface2(tmp_path, "train"))
    assert [record.path for record in records] == paths
    assert [record.gender for record in records] == ["f", "f", "f", "m"]
    assert [record.labels["name"] for record in records[2:]] == ["A_Fine_Frenzy", "Ålund, Jr."]
    assert records[0].box == Box(-12, 3, 200, 260), "a box may leave the photo"
    assert records[0].five_points is None
    assert records[1].five_points == POINTS
    assert (records[2].box, records[2].five_points) == (None, None)


def test_files_are_byte_for_byte_in_the_published_form(tmp_path):
    write_set(tmp_path)
    assert (tmp_path / "train/n000002/0030_01.jpg").read_bytes() == JPEG
    meta = (tmp_path / "identity_meta.csv").read_text("utf-8").splitlines()
    assert meta[:2] == ["Class_ID, Name, Sample_Num, Flag, Gender", 'n000002, "A_Fine_Frenzy", 3, 1, f']
    boxes = (tmp_path / "bb_landmark/loose_bb_train.csv").read_text()
    assert boxes == 'NAME_ID,X,Y,W,H\n"n000002/0001_01",-12,3,200,260\n"n000007/0009_01",5,6,7,8\n'
    rows = (tmp_path / "bb_landmark/loose_landmark_train.csv").read_text().splitlines()
    assert rows[0] == "NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y"
    assert rows[1] == '"n000002/0001_02",75.25,110.5,103,104.75,90,130.125,80,150,101.5,146'


def test_the_index_opens_no_photo_and_waits_for_each_person(tmp_path, monkeypatch):
    write_set(tmp_path)
    opened = []
    kept = type(tmp_path).open
    monkeypatch.setattr(
        type(tmp_path), "open", lambda self, *a, **k: (opened.append(self.suffix), kept(self, *a, **k))[1]
    )
    first = next(iter(index_vggface2(tmp_path, "train")))
    assert first.path.endswith("0001_01.jpg")
    assert set(opened) == {".csv"}


def test_rows_in_any_order_with_windows_line_ends_are_found(tmp_path):
    write_set(tmp_path)
    rows = [f'"n00000{person}/{photo:04d}_01",{photo},2,3,4' for photo, person in itertools.product((9, 1, 30), (7, 2))]
    table = tmp_path / "bb_landmark/loose_bb_train.csv"
    table.write_bytes(("\r\n".join(["NAME_ID,X,Y,W,H", *rows]) + "\r\n").encode())
    found = {record.path: record.box for record in index_vggface2(tmp_path, "train")}
    assert found["train/n000002/0030_01.jpg"] == Box(30, 2, 3, 4)
    assert found["train/n000007/0009_01.jpg"] == Box(9, 2, 3, 4)


def test_a_bare_comma_in_a_name_and_a_last_comma_are_as_published(tmp_path):
    write_set(tmp_path)
    (tmp_path / "identity_meta.csv").write_text(
        'Class_ID, Name, Sample_Num, Flag, Gender,\nn000002, "A",315,1, f,\nn000007, B, Jr., 2, 1, m\n'
    )
    assert [record.labels["name"] for record in index_vggface2(tmp_path, "train")] == ["A", "A", "A", "B,Jr."]


def test_absent_tables_leave_things_unknown(tmp_path):
    write_photo(tmp_path, "test", 1, 1, 1, JPEG)
    (record,) = index_vggface2(tmp_path, "test")
    assert (record.subject, record.gender, record.box, record.five_points, record.labels) == (
        "n000001",
        None,
        None,
        None,
        {},
    )


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("identity_meta.csv", "a,b\n", "identity_meta.csv:1: the columns"),
        ("identity_meta.csv", "Class_ID, Name, Sample_Num, Flag, Gender\nn1, a, x, 1, f\n", "identity_meta.csv:2"),
        ("identity_meta.csv", "Class_ID, Name, Sample_Num, Flag, Gender\nn1, a, 3, 1, q\n", "identity_meta.csv:2"),
        ("identity_meta.csv", "Class_ID, Name, Sample_Num, Flag, Gender\nn1\n", "identity_meta.csv:2"),
        ("identity_meta.csv", "Class_ID, Name, Sample_Num, Flag, Gender\nn000002, a, 3, 0, f\n", "other split"),
        ("bb_landmark/loose_bb_train.csv", "NAME,X\n", "loose_bb_train.csv:1: the columns"),
        ("bb_landmark/loose_bb_train.csv", "NAME_ID,X,Y,W,H\nn9/1,1,1,1,1\nn000002/1,2,3\n", "loose_bb_train.csv:3"),
        ("bb_landmark/loose_bb_train.csv", "NAME_ID,X,Y,W,H\nn000002/1,2,3,nan,1\n", "loose_bb_train.csv:2"),
        (
            "bb_landmark/loose_bb_train.csv",
            "NAME_ID,X,Y,W,H\n" + "n000002/1,1,2,3,4\n" * 2,
            "csv:3: n000002/1 is listed",
        ),
        ("bb_landmark/loose_landmark_train.csv", "", "loose_landmark_train.csv:1: the columns"),
        ("train/n000002/face.jpg", "x", "not a VGGFace2 photo"),
        ("train/anna/0001_01.jpg", "x", "not a VGGFace2 person"),
    ],
)
def test_damage_is_named_with_file_and_line(name, text, reason, tmp_path):
    write_set(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=reason):
        list(index_vggface2(tmp_path, "train"))


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        index_vggface2(tmp_path, "train")
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="no person"):
        index_vggface2(tmp_path, "train")


def test_the_writer_refuses_what_the_format_cannot_hold(tmp_path):
    with pytest.raises(DataError, match="not a JPEG"):
        write_photo(tmp_path, "train", 1, 1, 1, b"PNG")
    with pytest.raises(DataError, match="does not fit"):
        write_photo(tmp_path, "train", 1, 10_000, 1, JPEG)
    with pytest.raises(DataError, match="quotes"):
        write_metadata(tmp_path, "train", [Identity("n000001", 'a"b', 1, True, "f")], [], [])
    assert not list(tmp_path.iterdir())
