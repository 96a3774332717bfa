"""Meshes as NumPy archives: read exactly, or refused before anything is unpacked that should not be."""

import io
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from models.errors import ScanError
from models.readers.npz import read_npz

POINTS = np.random.default_rng(0).normal(size=(30, 3)) * 80
TRIANGLES = np.random.default_rng(1).integers(0, 30, (50, 3))


@pytest.mark.parametrize("numbers", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("indices", [np.uint8, np.int32, np.int64, np.uint64])
@pytest.mark.parametrize("faces", ["triangles", "faces"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_mesh_reads_back(tmp_path, numbers, indices, faces, save):
    path = tmp_path / "a.npz"
    save(path, vertices=POINTS.astype(numbers), other=np.zeros(3), **{faces: TRIANGLES.astype(indices)})
    scan = read_npz(path)
    assert_array_equal(scan.vertices, POINTS.astype(numbers).astype(np.float32))
    assert_array_equal(scan.triangles, TRIANGLES)


class Trap:
    """Says so if it is ever unpacked."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize(
    "arrays",
    [
        {"vertices": POINTS},
        {"triangles": TRIANGLES},
        {"vertices": POINTS[:, :2], "triangles": TRIANGLES},
        {"vertices": POINTS.ravel(), "triangles": TRIANGLES},
        {"vertices": POINTS.astype(int), "triangles": TRIANGLES},
        {"vertices": POINTS, "triangles": TRIANGLES.astype(float)},
        {"vertices": POINTS, "triangles": TRIANGLES + 20},
        {"vertices": POINTS, "triangles": TRIANGLES - 5},
        {"vertices": POINTS, "triangles": np.full((2, 3), 2**63, np.uint64)},
        {"vertices": POINTS * np.nan, "triangles": TRIANGLES},
        {"vertices": POINTS * 1e9, "triangles": TRIANGLES},
        {"vertices": np.empty((0, 3)), "triangles": TRIANGLES},
        {"vertices": POINTS, "triangles": np.empty((0, 3), int)},
        {"vertices": np.array([[Trap()] * 3] * 9, object), "triangles": TRIANGLES},
    ],
)
def test_what_is_no_mesh_is_refused(tmp_path, arrays):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(ScanError, match=r"a\.npz"):
        read_npz(path)


def test_a_bomb_is_refused_without_unpacking_it(tmp_path, monkeypatch):
    monkeypatch.setattr("models.readers.npz._MOST_BYTES", 1_000_000)
    path = tmp_path / "a.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 3)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vertices.npy", header.getvalue() + b"\0" * 3_000_000)
        archive.writestr("triangles.npy", b"")
    assert path.stat().st_size < 10_000
    with pytest.raises(ScanError, match="decimate"):
        read_npz(path)


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vertices.npy", header.getvalue() + b"\0" * 240)
        archive.writestr("triangles.npy", b"")
    with pytest.raises(ScanError):
        read_npz(path)


def test_mutated_archives_are_refused_or_finite(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, vertices=POINTS, triangles=TRIANGLES)
    original = path.read_bytes()
    generator = np.random.default_rng(5)
    refused = 0
    for _ in range(400):
        data = bytearray(original)
        for place in generator.integers(0, len(data), generator.integers(1, 12)):
            data[place] = generator.integers(256)
        if generator.random() < 0.3:
            del data[int(generator.integers(len(data))) :]
        path.write_bytes(bytes(data) or b"x")
        try:
            scan = read_npz(path)
        except ScanError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        assert np.isfinite(scan.vertices).all()
        assert 0 <= scan.triangles.min() <= scan.triangles.max() < len(scan.vertices)
    assert refused > 100
