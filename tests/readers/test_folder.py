"""Anyone's folder: subjects, labels, order."""

import pytest

from models.errors import DataError
from models.readers.folder import index_photos, index_scans


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_the_first_folder_is_the_subject_and_the_order_is_that_of_the_paths(tmp_path):
    make(
        tmp_path, "b/2.JPG", "a/x/1.png", "b/10.pgm", "a/k.jpeg", "flat.bmp", "b/notes.txt", ".hidden/1.png", "b/.1.png"
    )
    assert [(record.path, record.subject) for record in index_photos(tmp_path)] == [
        ("a/k.jpeg", "a"),
        ("a/x/1.png", "a"),
        ("b/10.pgm", "b"),
        ("b/2.JPG", "b"),
        ("flat.bmp", None),
    ]


def test_labels_override_and_add(tmp_path):
    make(tmp_path, "a/1.png", "a/2.png", "a/3.obj", "flat.png")
    (tmp_path / "labels.csv").write_text(
        "\ufeffpath, subject, gender, intensity, yaw_deg, role\na/1.png, ann, f, 3, -30.5, probe\nflat.png, bob,,,,\n"
    )
    first, second, flat = index_photos(tmp_path)
    assert (first.subject, first.gender) == ("ann", "f")
    assert first.labels == {"intensity": "3", "yaw_deg": "-30.5", "role": "probe"}
    assert (second.subject, second.gender, second.labels) == ("a", None, {})
    assert (flat.subject, flat.labels) == ("bob", {})


def test_scans_have_their_own_records(tmp_path):
    make(tmp_path, "a/1.obj", "a/2.PLY", "a/1.png")
    (tmp_path / "labels.csv").write_text("path,expression,intensity,session\na/1.obj,happy,2,s1\n")
    first, second = index_scans(tmp_path)
    assert (first.path, first.subject, first.expression, first.intensity) == ("a/1.obj", "a", "happy", 2)
    assert first.labels == {"session": "s1"}
    assert (second.path, second.expression, second.intensity) == ("a/2.PLY", None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file\na/1.png\n", "labels.csv:1: columns"),
        ("path,age\na/1.png,3\n", "labels.csv:1: columns"),
        ("path,gender\na/1.png,f\na/9.png,f\n", "labels.csv:3: 'a/9.png' is not there"),
        ("path,gender\n../1.png,f\n", "labels.csv:2: '../1.png' is not there"),
        ("path,gender\na/1.png,x\n", "labels.csv:2: gender 'x'"),
        ("path,intensity\na/1.png,5\n", "labels.csv:2: intensity '5'"),
        ("path,yaw_deg\na/1.png,nan\n", "labels.csv:2: yaw_deg 'nan'"),
        ("path,yaw_deg\na/1.png,left\n", "labels.csv:2: yaw_deg 'left'"),
        ("path,gender\na/1.png\n", "labels.csv:2: another number of cells"),
        ("path,gender\na/1.png,f,9\n", "labels.csv:2: another number of cells"),
        ("path\na/1.png\na/1.png\n", "labels.csv:3: a/1.png is listed twice"),
        ("", "labels.csv:1: columns"),
    ],
)
def test_a_bad_row_is_named_with_its_line(text, reason, tmp_path):
    make(tmp_path, "a/1.png")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=reason):
        index_photos(tmp_path)


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        index_photos(tmp_path / "none")
    with pytest.raises(DataError, match="no scans"):
        index_scans(tmp_path)


def test_the_real_photos_of_forty_people_are_all_found(real_data):
    records = list(index_photos(real_data / "orl"))
    assert len(records) == 400
    assert len({record.subject for record in records}) == 40
