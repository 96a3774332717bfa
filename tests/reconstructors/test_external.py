"""A folder of meshes made elsewhere behaves as any reconstructor does."""

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import ConfigurationError
from models.morphable.builtin import load_face
from models.readers.meshes_out import write_obj
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.protocol import FacePhoto, Outcome, Reconstruction
from models.rendering.camera import rotation_from_angles
from models.types import Failure, Scan

FACE = load_face(20, 8)
TURNED = rotation_from_angles(8.0, -17.0, 11.0)


def shape(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return FACE.shape(rng.normal(size=20).astype(np.float32), np.zeros(8, np.float32))


def photo(path: str) -> FacePhoto:
    return FacePhoto(path, None, np.zeros((9, 9, 3), np.uint8), np.zeros((5, 2), np.float32))


def outcomes(folder: Path, *paths: str) -> list[Outcome]:
    given = [photo(path) for path in paths]
    return list(open_reconstructor("external", folder).reconstruct(given, torch.device("cpu")))


def store(folder: Path, name: str, vertices: np.ndarray) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    vertices = vertices.astype(np.float32)
    if file.suffix == ".npz":
        np.savez(file, vertices=vertices, triangles=FACE.triangles)
    elif file.suffix == ".obj":
        file.write_bytes(write_obj(Scan(vertices, FACE.triangles)))
    else:
        trimesh.Trimesh(vertices, FACE.triangles, process=False).export(file)


@pytest.mark.parametrize("kind", ["obj", "ply", "npz"])
def test_a_mesh_in_the_face_frame_comes_as_it_is(tmp_path, kind):
    store(tmp_path, f"anna/1.{kind}", shape(1))
    (found,) = outcomes(tmp_path, "anna/1.jpg")
    assert isinstance(found, Reconstruction)
    assert found.path == "anna/1.jpg"
    assert found.coefficients is None
    assert_allclose(found.vertices, shape(1), atol=1e-3)
    assert_array_equal(found.triangles, FACE.triangles)


@pytest.mark.parametrize(("kind", "unit"), [("obj", 0.001), ("ply", 0.1), ("npz", 1.0)])
def test_a_mesh_elsewhere_turned_and_in_another_unit_is_brought_upright(tmp_path, kind, unit):
    elsewhere = (shape(2) @ TURNED.T + np.array([40, -25, 300])) * unit
    store(tmp_path, f"2.{kind}", elsewhere)
    (found,) = outcomes(tmp_path, "2.png")
    assert isinstance(found, Reconstruction), found
    gap = found.vertices - shape(2)
    assert np.linalg.norm(gap.mean(axis=0)) < 6
    assert np.linalg.norm(gap - gap.mean(axis=0), axis=1).mean() < 4
    assert np.linalg.norm(found.vertices[FACE.nose_tip]) < 6


def test_missing_damaged_and_foreign_meshes_are_failures_with_reasons(tmp_path):
    store(tmp_path, "good.obj", shape(3))
    (tmp_path / "torn.obj").write_bytes((tmp_path / "good.obj").read_bytes()[:5000])
    (tmp_path / "empty.ply").write_bytes(b"")
    ball = trimesh.creation.icosphere(4, 60)
    ball.export(tmp_path / "ball.ply")
    np.savez(tmp_path / "cloud.npz", vertices=shape(3))
    np.savez(tmp_path / "hole.npz", vertices=np.full((500, 3), np.nan), triangles=FACE.triangles[:100] % 500)
    names = ["absent.jpg", "torn.jpg", "empty.jpg", "ball.jpg", "cloud.jpg", "hole.jpg", "../good.jpg", "/good.jpg"]
    *failed, good = outcomes(tmp_path, *names, "good.jpg")
    assert isinstance(good, Reconstruction)
    for name, outcome in zip(names, failed, strict=True):
        assert isinstance(outcome, Failure), name
        assert outcome.path == name
        assert outcome.reason.startswith(f"{name}: ")
        assert "\n" not in outcome.reason
        assert str(tmp_path) not in outcome.reason
    reasons = {outcome.path: outcome.reason for outcome in failed if isinstance(outcome, Failure)}
    assert "no mesh absent." in reasons["absent.jpg"]
    assert "'triangles'" in reasons["cloud.jpg"]
    assert "not finite" in reasons["hole.jpg"]
    assert "leaves the photos' folder" in reasons["../good.jpg"]


def test_the_folder_must_be_there(tmp_path):
    for folder in (None, tmp_path / "absent"):
        with pytest.raises(ConfigurationError, match="name the folder that holds a mesh for each photo"):
            open_reconstructor("external", folder)


def test_a_real_head_comes_upright_however_it_was_turned(tmp_path, real_data):
    source = trimesh.load_mesh(real_data / "scans" / "james.obj", process=False)
    faces = []
    for name, angles in (("a", (0.0, 0.0, 0.0)), ("b", (12.0, 20.0, -15.0))):
        turned = np.asarray(source.vertices) @ rotation_from_angles(*angles).T
        trimesh.Trimesh(turned, source.faces, process=False).export(tmp_path / f"{name}.ply")
        (found,) = outcomes(tmp_path, f"{name}.jpg")
        assert isinstance(found, Reconstruction), found
        faces.append(found.vertices)
    assert np.linalg.norm(faces[0] - faces[1], axis=1).mean() < 3
