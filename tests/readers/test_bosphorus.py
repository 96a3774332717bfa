"""Bosphorus: range images and landmarks read back as written, every trap of the binary format, and names."""

import struct

import numpy as np
import pytest

from models.errors import DataError, ScanError
from models.readers.bnt_grid import parse_bnt, read_bnt, write_bnt
from models.readers.bosphorus import index_bosphorus, read_bosphorus, write_bosphorus
from models.readers.lm3 import LABELS, parse_lm3, write_lm3
from models.readers.scans import read_scan
from models.types import RangeImage
from tests.readers.range_images import facing, relief, slow_triangles

ZMIN = -1e9


def packed(rows=2, columns=2, x=(0, 9, 0, 9), y=(0, 0, 9, 9), z=(5, 5, 5, 5), name=b"a.png", zmin=ZMIN, count=None):
    """A `.bnt` file byte by byte, its first row at the bottom."""
    values = [*x, *y, *z, *([0.5] * len(x)), *([0.5] * len(x))]
    head = struct.pack("<HHdH", rows, columns, zmin, len(name)) + name
    return head + struct.pack("<I", len(values) if count is None else count) + struct.pack(f"<{len(values)}d", *values)


def test_what_is_written_reads_back_with_its_landmarks(tmp_path):
    image = relief()
    marks = {"Nose tip": (0.0, 0.5, 30.25), "Chin middle": (1.0, -15.0, 4.0)}
    path = tmp_path / write_bosphorus(tmp_path, 7, "E", "HAPPY", 0, image, marks)
    assert path == tmp_path / "bs007" / "bs007_E_HAPPY_0.bnt"
    scan = read_bosphorus(path)
    np.testing.assert_array_equal(scan.vertices, image.points[image.valid])
    assert {tuple(sorted(t)) for t in scan.triangles.tolist()} == slow_triangles(image)
    assert (facing(scan) > 0).all()
    assert scan.landmarks == marks
    assert read_scan(path).landmarks == {}


def test_the_file_is_in_the_published_form_to_the_byte():
    points = np.array([[[0, 9, 5], [9, 9, 5]], [[0, 0, 5], [0, 0, 0]]], np.float32)
    data = write_bnt(RangeImage(points, np.array([[True, True], [True, False]])), "a.png")
    assert data[:2] + data[2:4] == b"\x02\x00\x02\x00"
    assert struct.unpack_from("<d", data, 4) == (ZMIN,)
    assert data[12:19] == b"\x05\x00a.png"
    assert struct.unpack_from("<I", data, 19) == (20,)
    blocks = np.array(struct.unpack_from("<20d", data, 23)).reshape(5, 4)
    assert len(data) == 23 + 160
    np.testing.assert_array_equal(blocks[:3], [[0, ZMIN, 0, 9], [0, ZMIN, 9, 9], [5, ZMIN, 5, 5]])
    assert ((blocks[3:] > 0) & (blocks[3:] < 1)).all(), "u and v are there for the background too"


def test_the_first_row_is_the_bottom_one():
    cells = parse_bnt(packed(), "x.bnt")
    assert cells.points[:, 0, 1].tolist() == [9, 0]
    assert cells.points[0, :, 0].tolist() == [0, 9]


def test_any_one_background_coordinate_makes_a_cell_background():
    for axis in ({"x": (0, ZMIN, 0, 9)}, {"y": (0, ZMIN, 9, 9)}, {"z": (5, ZMIN, 5, 5)}):
        assert parse_bnt(packed(**axis), "x.bnt").valid.tolist() == [[True, True], [True, False]]


def test_the_name_of_the_picture_is_not_followed(tmp_path):
    (tmp_path / "a.bnt").write_bytes(packed(name=b"../../secret.png"))
    assert len(read_bnt(tmp_path / "a.bnt").triangles) == 2


def test_more_rows_than_declared_are_read_with_a_warning(tmp_path, caplog):
    data = packed(rows=2, x=(0, 9) * 3, y=(0, 0, 9, 9, 18, 18), z=(5,) * 6)
    assert parse_bnt(data, "x.bnt").points.shape == (3, 2, 3)
    assert "declares 2 rows and holds 3" in caplog.text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (packed()[:10], "ends within its header"),
        (packed(name=b"x" * 30)[:20], "ends within its header"),
        (packed(rows=1, columns=4), "declares 1 x 4"),
        (packed(rows=0), "declares 0 x 2"),
        (packed(rows=65535, columns=65535), "declares 65535 x 65535"),
        (packed(zmin=float("nan")), "background value is nan"),
        (packed(zmin=float("inf")), "background value is inf"),
        (packed()[:-8], "declares 20 values and holds 19"),
        (packed() + b"12345678", "declares 20 values and holds 21"),
        (packed(count=4_000_000_000), "declares 4000000000 values"),
        (packed(count=19), "declares 19 values"),
        (packed(columns=3), "4 cells do not make rows of 3"),
        (packed(x=(0, float("nan"), 0, 9)), "not finite"),
        (packed(z=(5, float("inf"), 5, 5)), "not finite"),
        (packed(x=(0, 1e300, 0, 9)), "mm away"),
        (packed(z=(5, ZMIN, 5, 5), zmin=0.25), "mm away"),
        (packed(z=(ZMIN,) * 4), "0 valid cells"),
        (packed(z=(5, 5, ZMIN, ZMIN)), "0 triangles"),
    ],
)
def test_every_damage_has_its_reason(data, reason, tmp_path):
    (tmp_path / "a.bnt").write_bytes(data)
    with pytest.raises(ScanError, match=reason) as refused:
        read_scan(tmp_path / "a.bnt")
    assert "a.bnt" in str(refused.value)


def test_landmarks_survive_and_the_nose_tip_is_the_fourteenth():
    marks = {label: (1.5 * row, -2.25, float(row)) for row, label in enumerate(LABELS)}
    assert parse_lm3(write_lm3(marks, "bs000_N_N_0"), "x.lm3") == marks
    assert LABELS.index("Nose tip") == 13


def test_comments_stars_and_blank_lines_before_the_count_are_passed_over():
    data = b"# by somebody\r\n\r\n*****\r\n2 landmarks:\r\nNose tip\r\n1 2 3 \r\n\r\nChin middle\r\n-4 5e0 6\r\n"
    assert parse_lm3(data, "x.lm3") == {"Nose tip": (1, 2, 3), "Chin middle": (-4, 5, 6)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Nose tip\n1 2 3\n", "no line like '22 landmarks:'"),
        (b"2 landmarks:\nNose tip\n1 2 3\n", "declares 2 landmarks and holds 1 labels"),
        (b"1 landmarks:\nNose tip\n", "holds 1 labels, 0 points"),
        (b"2 landmarks:\nNose tip\n1 2 3\nNose tip\n1 2 3\n", "declares 2"),
        (b"1 landmarks:\nNose tip\n1 2\n", "is no point"),
        (b"1 landmarks:\nNose tip\n1 2 nan\n", "is no point"),
        (b"1 landmarks:\nNose tip\n1 2 1e30\n", "is no point"),
        (b"1 landmarks:\nNose tip\n1 2 x\n", "not a number"),
        (b"#" * 70_000, "not a list of landmarks"),
    ],
)
def test_damaged_landmark_files_are_refused(data, reason, tmp_path):
    path = tmp_path / write_bosphorus(tmp_path, 0, "N", "N", 0, relief())
    path.with_suffix(".lm3").write_bytes(data)
    with pytest.raises(ScanError, match=reason):
        read_bosphorus(path)


def listing(*stems):
    return [f"BosphorusDB_p1/{stem.split('_')[0]}/{stem}.bnt" for stem in stems]


def test_the_index_reads_names_alone():
    names = listing("bs000_N_N_0", "bs000_E_DISGUST_1", "bs003_LFAU_12LW_0", "bs003_YR_R20_0", "bs104_O_EYE_0")
    neutral, disgusted, unit, turned, hidden = index_bosphorus([*names, "bs000/bs000_N_N_0.lm3", "bs000/a.png"])
    assert (neutral.path, neutral.subject, neutral.expression) == (names[0], "bs000", "neutral")
    assert (disgusted.expression, disgusted.labels["take"]) == ("disgusted", "1")
    assert (unit.expression, unit.labels) == (None, {"kind": "LFAU", "detail": "12LW", "take": "0"})
    assert (turned.labels["kind"], turned.labels["detail"]) == ("YR", "R20")
    assert (hidden.subject, hidden.labels["detail"], hidden.gender) == ("bs104", "EYE", None)


@pytest.mark.parametrize(
    "stem", ["bs00_N_N_0", "bs000_N_N", "bs000_X_Y_0", "bs000_E_JOY_0", "bs000_N_E_0", "bs000_O_HAT_0", "bs000_N_N_x"]
)
def test_other_names_are_refused(stem, tmp_path):
    with pytest.raises(DataError, match="not a Bosphorus name like"):
        list(index_bosphorus([f"bs000/{stem}.bnt"]))
    with pytest.raises(DataError, match="a file of bs001 in the folder of bs000"):
        list(index_bosphorus(["bs000/bs001_N_N_0.bnt"]))


def test_the_writer_refuses_names_and_labels_the_format_does_not_have(tmp_path):
    with pytest.raises(DataError):
        write_bosphorus(tmp_path, 0, "E", "JOY", 0, relief())
    with pytest.raises(DataError):
        write_bosphorus(tmp_path, 1000, "N", "N", 0, relief())
    with pytest.raises(DataError, match="not a Bosphorus landmark"):
        write_bosphorus(tmp_path, 0, "N", "N", 0, relief(), {"left ear": (0.0, 0.0, 0.0)})
    assert not list(tmp_path.iterdir())
