"""OBJ, PLY, STL, OFF and WRL meshes: round trips, units, frames, and real scans."""

import json

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from models.errors import ScanError
from models.readers.obj import parse_obj
from models.readers.scans import read_scan, scan_readers
from models.readers.units import to_millimetres


def mesh(radius=90.0):
    ball = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    colours = np.random.default_rng(0).integers(0, 256, (len(ball.vertices), 3), dtype=np.uint8)
    return trimesh.Trimesh(ball.vertices, ball.faces, process=False, vertex_colors=colours)


def corner_points(vertices, triangles):
    return np.sort(np.asarray(vertices)[np.asarray(triangles)].reshape(len(triangles), -1).round(2), axis=0)


@pytest.mark.parametrize(("radius", "factor"), [(90.0, 1), (9.0, 10), (0.09, 1000)])
@pytest.mark.parametrize("kind", ["obj", "ply", "stl", "off"])
def test_a_mesh_in_any_unit_comes_out_in_millimetres(kind, radius, factor, tmp_path):
    path = tmp_path / f"scan.{kind.upper()}"
    mesh(radius).export(path, file_type=kind)
    scan = read_scan(path)
    assert scan.vertices.shape == (162, 3)
    expected = corner_points(mesh(radius).vertices * factor, mesh().faces)
    np.testing.assert_allclose(corner_points(scan.vertices, scan.triangles), expected, atol=0.011)


@pytest.mark.parametrize("encoding", ["ascii", "binary"])
def test_ply_colours_are_kept(encoding, tmp_path):
    mesh().export(tmp_path / "a.ply", encoding=encoding)
    np.testing.assert_array_equal(read_scan(tmp_path / "a.ply").colours, mesh().visual.vertex_colors[:, :3])


def test_the_unit_is_told_by_the_largest_side():
    box = np.array([[0, 0, 0], [1, 0.2, 0.3]], np.float32)
    assert [to_millimetres(box * np.float32(side), "x")[1] for side in (0.2, 2.99, 3.0, 59.9, 60.0, 4000.0)] == [
        1000.0,
        1000.0,
        10.0,
        10.0,
        1.0,
        1.0,
    ]
    with pytest.raises(ScanError, match="coincide"):
        to_millimetres(np.zeros((4, 3), np.float32), "x")


def test_obj_corners_may_be_named_in_every_way():
    head = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n"
    for face in (
        b"f 1 2 3 4",
        b"f 1/1 2/1 3/1 4/1",
        b"f 1//1 2//1 3//1 4//1",
        b"f 1/1/1 2/1/-1 3/1/1 4/1/1",
        b"f -4 -3 -2 -1",
        b"f 1 2 \\\n 3 4",
        b"  f 1 2 3 4 # f 1 1 1",
    ):
        for end in (b"\n", b"\r\n", b"\r"):
            text = (head + face + b"\n").replace(b"\n", end)
            if b"\\\r" in text and end == b"\r":
                continue
            assert parse_obj(text, "x").triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_relative_obj_corners_count_from_the_face():
    text = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf -3 -2 -1\nv 0 1 0\nf -2 -1 1\n"
    assert parse_obj(text, "x").triangles.tolist() == [[0, 1, 2], [2, 3, 0]]


def test_obj_colours_are_bytes_or_shares():
    for white in (b"1 1 1", b"255 255 255"):
        text = b"v 0 0 0 " + white + b"\nv 1 0 0 0 0 0\nv 0 1 0 0 0 0\nf 1 2 3\n"
        assert parse_obj(text, "x").colours.tolist() == [[255, 255, 255], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"v 0 0 0\nv 1 0\nv 0 1 0 5\nf 1 2 3\n", "has not 3 numbers"),
        (b"v 0 0 0 2\nv 1 0 0 2\nv 0 1 0 2\nf 1 2 3\n", "weight"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "outside 0 to 2"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "vertex 0"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf -1 -2 -9\n", "vertex 0"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\n", "face of 2"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 a\n", "not a number"),
        (b"v 0 0 0\nv 1 nan 0\nv 0 1 0\nf 1 2 3\n", "not finite"),
        (b"v 0 0 0 1 1 -1\nv 1 0 0 1 1 1\nv 0 1 0 1 1 1\nf 1 2 3\n", "colours"),
    ],
)
def test_obj_damage_has_its_reason(text, reason):
    with pytest.raises(ScanError, match=reason):
        parse_obj(text, "x.obj")


def test_materials_and_textures_are_never_opened(tmp_path, monkeypatch):
    path = tmp_path / "a.obj"
    path.write_text("mtllib ../secret.mtl\nmap_Kd ../../secret.png\nv 0 0 0\nv 90 0 0\nv 0 90 0\nusemtl s\nf 1 2 3\n")
    opened = []
    kept = type(path).open
    monkeypatch.setattr(type(path), "open", lambda self, *a, **k: (opened.append(self), kept(self, *a, **k))[1])
    read_scan(path)
    assert opened == [path]


def test_the_catalogue_knows_the_extensions():
    assert set(scan_readers) >= {"obj", "off", "ply", "stl", "wrl"}


def outward(scan):
    corners = scan.vertices[scan.triangles].astype(np.float64)
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0)


def test_the_real_scan_of_james_lies_in_the_camera_frame(real_data):
    scan = read_scan(real_data / "scans" / "james.obj")
    assert (scan.vertices.shape, scan.triangles.shape) == ((6393, 3), (12228, 3))
    group = json.loads((real_data / "scans" / "james.ljson").read_text())["groups"]["LJSON"]
    points = np.array(group["landmarks"]["points"])
    place = {label["label"]: points[label["mask"]].mean(axis=0) for label in group["labels"]}
    assert cKDTree(scan.vertices).query(points)[0].max() < 10
    assert place["chin"][1] < place["mouth"][1] < place["nose"][1] < place["leye"][1]
    assert place["nose"][2] > place["leye"][2] > place["chin"][2]
    assert 150 < np.ptp(scan.vertices, axis=0).max() < 600
    assert outward(scan).argmax() == 2


def test_the_real_demo_face_lies_in_the_camera_frame(real_data):
    scan = read_scan(real_data / "scans" / "DemoFace_10K.obj")
    assert (scan.vertices.shape, scan.triangles.shape) == ((10000, 3), (18324, 3))
    eye, other_eye, nose, mouth, _ = np.loadtxt(real_data / "scans" / "DemoFaceLandmarks.csv", delimiter=",")
    assert cKDTree(scan.vertices).query([eye, other_eye, nose, mouth])[0].max() < 2
    assert eye[0] < other_eye[0]
    assert mouth[1] < nose[1] < eye[1]
    assert np.linalg.norm(scan.vertices[scan.vertices[:, 2].argmax()] - nose) < 4, "the nose is nearest the viewer"
    assert outward(scan).argmax() == 2
