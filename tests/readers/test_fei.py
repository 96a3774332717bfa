"""FEI: ids without leading zeros, aligned copies, and genders that only a list can tell."""

import pytest

from models.errors import DataError
from models.readers.fei import index_fei, read_genders, write_fei

JPEG = b"\xff\xd8\xff\xe0 not decoded here"


def test_what_is_written_reads_back(tmp_path):
    for subject in (1, 10, 200):
        for photo in [f"{number:02d}" for number in range(1, 15)]:
            assert write_fei(tmp_path, subject, photo, JPEG) == f"{subject}-{photo}.jpg"
    records = list(index_fei(tmp_path))
    assert len(records) == 42
    assert {record.subject for record in records} == {"1", "10", "200"}
    assert {record.gender for record in records} == {None}, "nothing published tells"
    mine = {record.labels["photo"]: record.labels for record in records if record.subject == "10"}
    assert mine["11"]["expression"] == "neutral"
    assert mine["12"]["expression"] == "happy"
    assert mine["14"]["view"] == "dark"
    assert {mine[f"{number:02d}"]["view"] for number in range(1, 11)} == {"rotation"}
    assert (tmp_path / "200-14.jpg").read_bytes() == JPEG


def test_aligned_copies_belong_to_the_same_person():
    plain, neutral, happy = index_fei(["originals/7-11.jpg", "frontal/7a.jpg", "frontal/7b.jpg"])
    assert plain.subject == neutral.subject == happy.subject == "7"
    assert (neutral.labels["view"], neutral.labels["expression"]) == ("aligned", "neutral")
    assert happy.labels["expression"] == "happy"


@pytest.mark.parametrize(
    "name", ["001-01.jpg", "01-01.jpg", "0-01.jpg", "201-01.jpg", "1-1.jpg", "1-15.jpg", "1-00.jpg"]
)
def test_padded_and_other_numbers_are_refused(name):
    with pytest.raises(DataError, match=r"not a FEI name like 1-01[.]jpg"):
        index_fei([name])


def test_other_files_are_left_alone():
    with pytest.raises(DataError, match=r"no 1-01.jpg"):
        index_fei(["readme.txt", "cover.jpg", "1-01.png"])


def test_genders_come_from_a_list(tmp_path):
    table = tmp_path / "genders.csv"
    table.write_text('\ufeffsubject, gender\n1, f\n"200", m\n\n')
    genders = read_genders(table)
    assert genders == {"1": "f", "200": "m"}
    found = index_fei(["1-01.jpg", "2-01.jpg", "200a.jpg"], genders)
    assert [record.gender for record in found] == ["f", None, "m"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ":1: the columns"),
        ("id,sex\n", ":1: the columns"),
        ("subject,gender\n1,x\n", ":2: not a new subject"),
        ("subject,gender\n1,f\n1,f\n", ":3: not a new subject"),
        ("subject,gender\n1,f,3\n", ":2: not a new subject"),
        ("subject,gender\n001,f\n", ":2: '001' is no subject"),
        ("subject,gender\n201,f\n", ":2: '201' is no subject"),
    ],
)
def test_a_damaged_list_is_refused_with_its_line(text, reason, tmp_path):
    (tmp_path / "genders.csv").write_text(text)
    with pytest.raises(DataError, match=f"genders.csv{reason}"):
        read_genders(tmp_path / "genders.csv")


def test_the_writer_refuses_what_fei_does_not_have(tmp_path):
    for subject, photo in ((0, "01"), (201, "01"), (1, "15"), (1, "1"), (1, "c")):
        with pytest.raises(DataError):
            write_fei(tmp_path, subject, photo, JPEG)
    with pytest.raises(DataError, match="not a JPEG"):
        write_fei(tmp_path, 1, "01", b"PNG")
    assert not list(tmp_path.iterdir())
