"""Mutated scan files either read as finite meshes or are refused with `ScanError`; nothing else happens."""

import numpy as np
import pytest
import trimesh

from models.errors import ScanError
from models.readers.scans import read_scan
from models.readers.vrml import write_vrml
from models.types import Scan

SEED = 20_251_122


def sphere():
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=90.0)
    return mesh, Scan(np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32))


def as_bytes(kind):
    mesh, scan = sphere()
    if kind == "wrl":
        return write_vrml(scan, "a.bmp")
    if kind == "obj":
        return ("mtllib ../../secret.mtl\nusemtl a\n" + mesh.export(file_type="obj")).encode()
    data = mesh.export(file_type=kind)
    return data.encode() if isinstance(data, str) else data


def mutated(data, generator):
    """One damage: flipped bytes, a cut, a doubled or missing piece, a swollen number, a hostile word."""
    data = bytearray(data)
    where = int(generator.integers(len(data)))
    kind = generator.integers(6)
    if kind == 0:
        for place in generator.integers(0, len(data), generator.integers(1, 20)):
            data[place] = generator.integers(256)
    elif kind == 1:
        del data[where:]
    elif kind == 2:
        del data[where : where + int(generator.integers(1, 200))]
    elif kind == 3:
        data[where:where] = data[where : where + int(generator.integers(1, 200))]
    elif kind == 4:
        data[where:where] = b"9" * int(generator.integers(1, 400))
    else:
        words = [
            b"nan",
            b" inf ",
            b"1e400",
            b" -7 ",
            b"[",
            b"}",
            b'"',
            b"\x00" * 50,
            b"/",
            b"\nf 1 2\n",
            b"../../x.png",
        ]
        data[where:where] = words[generator.integers(len(words))]
    return bytes(data)


@pytest.mark.parametrize(("kind", "trials"), [("wrl", 500), ("obj", 500), ("ply", 100), ("stl", 100), ("off", 100)])
def test_mutated_files_are_refused_or_finite(kind, trials, tmp_path):
    original = as_bytes(kind)
    path = tmp_path / f"scan.{kind}"
    path.write_bytes(original)
    assert len(read_scan(path).triangles) == 320
    generator = np.random.default_rng(SEED)
    refused = 0
    for _ in range(trials):
        path.write_bytes(mutated(original, generator))
        try:
            scan = read_scan(path)
        except ScanError as error:
            assert str(path) in str(error)
            assert "\n" not in str(error)
            refused += 1
            continue
        assert np.isfinite(scan.vertices).all()
        assert 0 <= scan.triangles.min() <= scan.triangles.max() < len(scan.vertices)
    assert refused > trials / 10


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 4000000000\nproperty float x\nend_header\n"),
        ("a.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000\nproperty float x\nend_header\n"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex -3\nproperty float x\nend_header\n"),
        ("a.ply", b"ply\n" + b"property float x\n" * 100 + b"end_header\n"),
        ("a.ply", b"ply\n" + b"x" * 100_000),
        ("a.off", b"OFF\n999999999 1 0\n0 0 0\n"),
        ("a.stl", b"\0" * 80 + b"\xff\xff\xff\xff" + b"\0" * 50),
        ("a.obj", b"v 0 0 0\n" * 3),
        ("a.obj", b"f 1 2 3\n"),
        ("a.obj", b""),
        ("a.step", b"x"),
        ("a", b"x"),
    ],
)
def test_declared_counts_and_unknown_kinds_are_refused_before_parsing(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ScanError, match=name):
        read_scan(tmp_path / name)


def test_an_absent_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "folder.obj").mkdir()
    for name in ("none.obj", "folder.obj"):
        with pytest.raises(ScanError, match="cannot be read"):
            read_scan(tmp_path / name)


def test_a_file_above_the_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("models.readers.limits.MAX_BYTES", 1000)
    (tmp_path / "a.obj").write_bytes(as_bytes("obj"))
    with pytest.raises(ScanError, match="larger than"):
        read_scan(tmp_path / "a.obj")
