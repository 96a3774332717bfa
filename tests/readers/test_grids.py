"""Any grid with any holes survives both range formats, read here and by a slow reader of its own."""

import struct

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.errors import ScanError
from models.readers.abs_grid import parse_abs, write_abs
from models.readers.bnt_grid import parse_bnt, write_bnt
from models.readers.grids import Cells, mesh_of, require_grid
from models.types import RangeImage
from tests.readers.range_images import facing, relief, slow_triangles


@st.composite
def images(draw):
    rows, columns = draw(st.integers(2, 9)), draw(st.integers(2, 9))
    away = draw(st.floats(-2000, 2000))
    image = relief(rows, columns, away_mm=away, holes=False)
    valid = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random((rows, columns)) < 0.8
    image = RangeImage(image.points, valid)
    assume(slow_triangles(image))
    return image


def slow_abs(data):
    """Valid points of an `.abs` file, number by number, from the top."""
    flags, x, y, z = (line.split() for line in data.decode().split("\n")[3:7])
    rows = zip(flags, x, y, z, strict=True)
    return np.array([[float(v) for v in point] for flag, *point in rows if flag == "1"])


def slow_bnt(data):
    """Valid points of a `.bnt` file, number by number, from the top (the file begins at the bottom)."""
    rows, columns, background, length = struct.unpack_from("<HHdH", data)
    start = 14 + length + 4
    found = []
    for row in reversed(range(rows)):
        for column in range(columns):
            cell = row * columns + column
            point = [struct.unpack_from("<d", data, start + 8 * (axis * rows * columns + cell))[0] for axis in range(3)]
            if background not in point:
                found.append(point)
    return np.array(found)


FORMATS = {
    "abs": (write_abs, parse_abs, slow_abs, 5.1e-7),
    "bnt": (lambda image: write_bnt(image, "a.png"), parse_bnt, slow_bnt, 0.0),
}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30)
@given(image=images())
def test_any_grid_reads_back_within_the_formats_precision(name, image):
    write, parse, slow, precision_mm = FORMATS[name]
    data = write(image)
    cells = parse(data, "x")
    np.testing.assert_array_equal(cells.valid, image.valid)
    expected = image.points[image.valid].astype(np.float64)
    np.testing.assert_allclose(cells.points[cells.valid], expected, atol=precision_mm, rtol=0)
    np.testing.assert_allclose(slow(data), expected, atol=precision_mm, rtol=0)
    scan = mesh_of(cells, "x")
    assert {tuple(sorted(t)) for t in scan.triangles.tolist()} == slow_triangles(image)
    assert (facing(scan) > 0).all()


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.rot90, lambda grid: np.rot90(grid, 2)])
def test_triangles_face_the_camera_whichever_way_rows_and_columns_run(turn):
    image = relief()
    points = np.stack([turn(image.points[..., axis]) for axis in range(3)], axis=-1).astype(np.float64)
    scan = mesh_of(Cells(points, turn(image.valid)), "x")
    assert (facing(scan) > 0).all()


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (0, 0), (2, 20_000), (1300, 1300), (-3, 4)])
def test_a_grid_too_thin_or_too_large_is_refused_before_anything_is_made(rows, columns):
    with pytest.raises(ScanError, match=f"declares {rows} x {columns}"):
        require_grid(rows, columns, "x")
