"""A manifest CSV alone: what it says of photos and scans, and how it fails."""

import pytest

from models.errors import DataError
from models.readers.folder import index_manifest, index_scans
from models.readers.records import PhotoRecord, ScanRecord


def write(root, text):
    (root / "faces.csv").write_text(text)
    return root / "faces.csv"


def test_photos_and_scans_are_told_apart_by_their_endings(tmp_path):
    table = write(
        tmp_path,
        "path,subject,gender,expression,intensity,role\n"
        'anna/1.png,,f,happy,3,probe\n"anna/2, left.JPG",,,,,\nscans/b.abs.gz,berta,f,happy,3,gallery\nc.bnt,,,,,\n',
    )
    photo, quoted, scan, nobody = index_manifest(table)
    labels = {"expression": "happy", "intensity": "3", "role": "probe"}
    assert photo == PhotoRecord("anna/1.png", "anna", "f", labels=labels)
    assert quoted.path == "anna/2, left.JPG"
    assert scan == ScanRecord("scans/b.abs.gz", "berta", "f", "happy", 3, {"role": "gallery"})
    assert (nobody.path, nobody.subject) == ("c.bnt", None)


def test_rows_are_read_as_they_are_asked_for(tmp_path):
    table = write(tmp_path, "path\na/1.png\na/2.xyz\n")
    rows = index_manifest(table)
    assert next(rows).path == "a/1.png"
    with pytest.raises(DataError, match=r"csv:3: a/2[.]xyz: neither a photo nor a scan"):
        next(rows)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ":1: columns"),
        ("path\n", ": lists no file"),
        ("path,path\na/1.png,a/1.png\n", ":1: columns"),
        ("path,age\na/1.png,3\n", ":1: columns"),
        ("path,gender\na/1.png\n", ":2: another number of cells"),
        ("path,gender\na/1.png,x\n", ":2: gender 'x'"),
        ("path,gender\n,f\n", ":2: ''"),
        ("path\n../1.png\n", ":2: '../1.png'"),
        ("path\n/etc/1.png\n", ":2: '/etc/1.png'"),
        ("path\na/..\n", ":2: 'a/..'"),
        ('path\n"a\nb.png"\n', "'a..b.png'"),
        ("path\n" + "a" * 200_000 + ".png\n", "a line of more than"),
        ('path\n"' + "a\n" * 100_000, "field larger than"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(text, reason, tmp_path):
    with pytest.raises(DataError, match=f"faces.csv{reason}" if reason.startswith(":") else reason) as refused:
        list(index_manifest(write(tmp_path, text)))
    assert "\n" not in str(refused.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none[.]csv: cannot be read"):
        index_manifest(tmp_path / "none.csv")


def test_a_folder_of_range_images_is_indexed_too(tmp_path):
    for name in ("a/1.bnt", "a/2.abs", "b/3.ABS.GZ", "b/4.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [record.path for record in index_scans(tmp_path)] == ["a/1.bnt", "a/2.abs", "b/3.ABS.GZ"]
