"""FRGC v2: range images read back as written, every trap of the text format, names and signature sets."""

import gzip

import numpy as np
import pytest

from models.errors import DataError, ScanError
from models.readers.abs_grid import parse_abs, read_abs, write_abs
from models.readers.frgc import index_frgc, write_frgc
from models.readers.frgc_signatures import read_signatures
from models.readers.scans import read_scan
from models.types import RangeImage
from tests.readers.range_images import facing, relief, slow_triangles


@pytest.mark.parametrize("packed", [True, False])
def test_what_is_written_reads_back_as_the_surface_through_its_valid_cells(packed, tmp_path):
    image = relief(away_mm=1300.0)
    path = tmp_path / write_frgc(tmp_path, "Fall2003", "02463", 546, image, packed)
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.vertices, image.points[image.valid])
    assert {tuple(sorted(t)) for t in scan.triangles.tolist()} == slow_triangles(image)
    assert (facing(scan) > 0).all()
    assert scan.vertices[:, 2].max() < 0, "Z stays negative: the camera is the origin"
    nearest = scan.vertices[scan.vertices[:, 2].argmax()]
    assert np.hypot(*nearest[:2]) < 4, "the top of the bump is nearest"


def test_the_file_is_in_the_published_form_to_the_byte():
    points = np.zeros((2, 2, 3), np.float32)
    points[0, 1], points[1, 0], points[1, 1] = (1.5, 2, -1300.25), (-1, 0, -1300), (0.125, -3, -1299)
    data = write_abs(RangeImage(points, np.array([[False, True], [True, True]])))
    assert data.decode().split("\n") == [
        "2 rows",
        "2 columns",
        "pixels (flag X Y Z):",
        "0 1 1 1 ",
        "-999999.000000 1.500000 -1.000000 0.125000 ",
        "-999999.000000 2.000000 0.000000 -3.000000 ",
        "-999999.000000 -1300.250000 -1300.000000 -1299.000000 ",
        "",
    ]


def test_the_same_image_gives_the_same_packed_bytes(tmp_path):
    path = tmp_path / write_frgc(tmp_path, "Fall2003", "02463", 546, relief())
    first = path.read_bytes()
    path.unlink()
    write_frgc(tmp_path, "Fall2003", "02463", 546, relief())
    assert path.read_bytes() == first
    assert first[4:8] == b"\0\0\0\0", "no time stamp"


def text(flags="1 1 1 1", x="0 9 0 9", y="9 9 0 0", z="-5 -5 -5 -5", head="2 rows\n2 columns\npixels (flag X Y Z):\n"):
    return f"{head}{flags} \n{x} \n{y} \n{z} \n".encode()


def test_a_flag_or_any_one_coordinate_marks_the_background():
    assert parse_abs(text(flags="0 1 1 1"), "x").valid.tolist() == [[False, True], [True, True]]
    for axis in ({"x": "0 9 0 -999999"}, {"y": "9 9 0 -999999.000000"}, {"z": "-5 -5 -5 -999999"}):
        assert parse_abs(text(**axis), "x").valid.tolist() == [[True, True], [True, False]]


def test_rows_that_run_upwards_still_give_triangles_that_face_the_camera(tmp_path):
    for axes in ({"y": "0 0 9 9"}, {"x": "9 0 9 0"}, {"x": "9 0 9 0", "y": "0 0 9 9"}):
        (tmp_path / "a.abs").write_bytes(text(**axes))
        assert (facing(read_abs(tmp_path / "a.abs")) > 0).all()


def test_neighbours_far_apart_in_depth_are_not_joined(tmp_path):
    (tmp_path / "a.abs").write_bytes(text(z="-5 -5 -5 -50"))
    assert len(read_abs(tmp_path / "a.abs").triangles) == 1


def test_windows_line_ends_are_understood(tmp_path):
    (tmp_path / "a.abs").write_bytes(text().replace(b"\n", b"\r\n"))
    assert len(read_abs(tmp_path / "a.abs").triangles) == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"P5 2 2 255\n", "does not begin with rows"),
        (text(head="2 columns\n2 rows\npixels (flag X Y Z):\n"), "does not begin with rows"),
        (text(head="-2 rows\n2 columns\npixels (flag X Y Z):\n"), "does not begin with rows"),
        (text(head="1 rows\n4 columns\npixels (flag X Y Z):\n"), "declares 1 x 4"),
        (text(head="99999 rows\n99999 columns\npixels (flag X Y Z):\n"), "declares 99999 x 99999"),
        (text(head="2 rows\n3 columns\npixels (flag X Y Z):\n"), "for 2 x 3 cells"),
        (text(x="0 9 0"), r"\[4, 3, 4, 4\] flags"),
        (text(x="0 9 0 9" + " 9" * 4000), "too many"),
        (text(z=""), "3 lines of numbers"),
        (text() + b"1 2 3 4\n", "5 lines of numbers"),
        (text(flags="1 1 2 1"), "neither 0 nor 1"),
        (text(flags="1 1 x 1"), "not a number"),
        (text(flags="0 0 0 0"), "0 valid cells"),
        (text(flags="1 0 0 1"), "0 triangles"),
        (text(x="0 nan 0 9"), "not finite"),
        (text(x="0 1e400 0 9"), "not finite"),
        (text(x="0 1e30 0 9"), "mm away"),
        (text(x="0 9-9 0 9"), "not a number"),
        (b"", "empty"),
    ],
)
def test_every_damage_has_its_reason(data, reason, tmp_path):
    for name in ("a.abs", "a.abs.gz"):
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        with pytest.raises(ScanError, match=reason) as refused:
            read_scan(tmp_path / name)
        assert name in str(refused.value)


def test_a_torn_or_hostile_gzip_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.abs.gz"
    for data in (gzip.compress(text())[:-9], b"\x1f\x8b" + b"x" * 50, b"plain text"):
        path.write_bytes(data)
        with pytest.raises(ScanError, match="cannot be read"):
            read_scan(path)
    monkeypatch.setattr("models.readers.limits.MAX_BYTES", 100_000)
    path.write_bytes(gzip.compress(b" " * 50_000_000))
    assert path.stat().st_size < 60_000
    with pytest.raises(ScanError, match="larger than"):
        read_scan(path)


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_the_index_reads_names_alone(tmp_path):
    make(
        tmp_path,
        "nd1/Fall2003range/02463d546.abs.gz",
        "nd1/Fall2003range/02463d547.ppm.gz",
        "nd1/Spring2004range/04201d92.abs",
        "nd1/Spring2004range/._04201d92.abs",
        "nd1/Spring2003range/02463d12.abs.gz",
        "docs/readme.txt",
    )
    found = {record.path: record for record in index_frgc(tmp_path)}
    assert len(found) == 3
    first = found["nd1/Fall2003range/02463d546.abs.gz"]
    assert (first.subject, first.gender, first.expression) == ("02463", None, None)
    assert first.labels == {"collection": "Fall2003", "recording": "546"}
    listed = index_frgc(f"./{name}" for name in sorted(found))
    assert {record.path: record for record in listed} == found


@pytest.mark.parametrize(
    "name", ["Fall2003range/a1d5.abs", "Fall2003range/02463x5.abs.gz", "Winter/02463d5.abs", "02463d5.abs"]
)
def test_other_names_and_folders_are_refused(name, tmp_path):
    make(tmp_path, name)
    with pytest.raises(DataError, match="not a FRGC name like"):
        list(index_frgc(tmp_path))
    with pytest.raises(DataError, match="no Fall2003range"):
        index_frgc([])


def test_the_writer_refuses_names_the_format_does_not_have(tmp_path):
    for collection, subject in (("Fall2005", "02463"), ("Fall2003", "2463"), ("Fall2003", "../02463")):
        with pytest.raises(DataError):
            write_frgc(tmp_path, collection, subject, 5, relief())
    assert not list(tmp_path.iterdir())


SIGNATURES = """<?xml version="1.0"?>
<biometric-signature-set>
 <complex-biometric-signature name="nd1S02463">
  <presentation name="nd1R02463" modality="shape" file-name="nd1/Fall2003range/02463d546.abs.gz" file-format="abs.gz"/>
  <presentation name="nd1R02464" modality="face" file-name="nd1/Fall2003range/02463d547.ppm.gz" file-format="ppm"/>
 </complex-biometric-signature>
 <biometric-signature name="nd1S04201"><presentation name="a" file-name="04201d92.abs"/></biometric-signature>
</biometric-signature-set>"""


def test_signature_sets_tell_whose_scan_it_is_and_a_swapped_one_is_refused(tmp_path):
    table = tmp_path / "set.xml"
    table.write_text(SIGNATURES)
    found = read_signatures(table)
    assert found == {"02463d546": "02463", "02463d547": "02463", "04201d92": "04201"}
    listing = ["Fall2003range/02463d546.abs.gz", "Spring2004range/04201d92.abs"]
    assert len(list(index_frgc(listing, found))) == 2
    table.write_text(SIGNATURES.replace("nd1S04201", "nd1S04999"))
    with pytest.raises(DataError, match=r"04201d92[.]abs: the signature set gives it to 04999"):
        list(index_frgc(listing, read_signatures(table)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "empty"),
        ("not xml", "not a signature set"),
        ("<a/>", "names no file"),
        (SIGNATURES.replace("</biometric-signature-set>", ""), "not a signature set"),
        (SIGNATURES.replace("nd1S04201", "somebody"), "filed under nobody"),
        (SIGNATURES.replace("04201d92", "02463d546"), "filed under two people"),
        ('<!DOCTYPE a [<!ENTITY b "bomb">]><a>&b;</a>', "declares the entity 'b'"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "declares the entity"),
    ],
)
def test_damaged_and_hostile_signature_sets_are_refused(data, reason, tmp_path):
    (tmp_path / "set.xml").write_text(data)
    with pytest.raises(DataError, match=reason):
        read_signatures(tmp_path / "set.xml")
