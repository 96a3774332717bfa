"""A table beside a data set adds to what the names of its files say, and goes before it."""

from pathlib import Path

import pytest

from models.errors import DataError
from models.readers.folder import Kinds, count_kinds
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.relabelling import read_label_table, relabelled
from models.readers.vggface2_tables import find_overlap, read_overlap

PHOTO = PhotoRecord("1-01.jpg", "1", labels={"photo": "01", "view": "rotation"})
SCAN = ScanRecord("bs000/x.bnt", "bs000", expression="neutral", intensity=0, labels={"kind": "N"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for record in (PHOTO, SCAN):
        (tmp_path / record.path).parent.mkdir(exist_ok=True)
        (tmp_path / record.path).write_text("")
    return tmp_path


def table(root: Path, text: str) -> Path:
    path = root / "more.csv"
    path.write_text(text)
    return path


def apply(root: Path, text: str, *records):
    return list(relabelled(records, read_label_table(root, table(root, text))))


def test_a_table_of_files_goes_before_their_names(root: Path):
    text = "path,subject,expression,intensity,gender,session\n1-01.jpg,one,,,f,a\nbs000/x.bnt,,happy,3,,\n"
    photo, scan = apply(root, text, PHOTO, SCAN)
    assert photo == PhotoRecord("1-01.jpg", "one", "f", labels={"photo": "01", "view": "rotation", "session": "a"})
    assert scan == ScanRecord("bs000/x.bnt", "bs000", None, "happy", 3, {"kind": "N"})


def test_a_table_of_people_says_their_gender_wherever_they_are(root: Path):
    other = PhotoRecord("2-01.jpg", "2")
    photo, scan, nobody = apply(root, "subject,gender\n1,f\nbs000,m\n", PHOTO, SCAN, other)
    assert (photo.gender, scan.gender, nobody) == ("f", "m", other)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,subject\nnowhere.jpg,1\n", r"more\.csv:2: 'nowhere\.jpg' is not there"),
        ("path,subject\n1-01.jpg,1\n1-01.jpg,1\n", "listed twice"),
        ("subject,gender\n1,f\n1,m\n", "more.csv:3"),
        ("subject,gender\n1,x\n", "more.csv:2"),
        ("path,smile\n1-01.jpg,1\n", "columns"),
        ("", "columns"),
        ('path,session\n1-01.jpg,"a\nb"\n', "control characters"),
        ("subject,gender\n9,f\n", r"9: not in this data set"),
        ("path,subject\nmore.csv,1\n", r"more\.csv: not in this data set"),
    ],
)
def test_a_table_that_does_not_fit_is_told_with_its_line(root: Path, text: str, said: str):
    with pytest.raises(DataError, match=said):
        apply(root, text, PHOTO, SCAN)


def test_the_files_of_a_folder_are_counted_by_kind(tmp_path: Path):
    for name in ("a/1.OBJ", "a/1.jpg", "a/2.abs.gz", "b/notes.txt", "b/3.PNG", "b/.hidden.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert count_kinds(tmp_path) == Kinds(photos=2, scans=2)


class TestPeopleOfVGGFace1:
    def test_the_list_is_found_where_it_is_published_and_below_meta(self, tmp_path: Path):
        assert find_overlap(tmp_path) is None
        (tmp_path / "meta").mkdir()
        (tmp_path / "meta" / "class_overlap_vgg1_2.txt").write_text("")
        assert find_overlap(tmp_path) == tmp_path / "meta" / "class_overlap_vgg1_2.txt"

    @pytest.mark.parametrize("line", ["n000123 Some_Name", "Some_Name n000123", "Some_Name\tn000123\r"])
    def test_each_line_names_one_person_in_either_order(self, tmp_path: Path, line: str):
        path = tmp_path / "class_overlap_vgg1_2.txt"
        path.write_text(f"VGGFace2 VGGFace1\n{line}\n\nn000456 x\n")
        assert read_overlap(path) == {"n000123", "n000456"}

    @pytest.mark.parametrize("line", ["nobody at all", "n000001 n000002"])
    def test_another_line_is_told(self, tmp_path: Path, line: str):
        path = tmp_path / "class_overlap_vgg1_2.txt"
        path.write_text(f"VGGFace2 VGGFace1\n{line}\n")
        with pytest.raises(DataError, match=r"vgg1_2\.txt:2"):
            read_overlap(path)
