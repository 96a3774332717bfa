"""What is written as OBJ reads back, here and in another program."""

import io

import numpy as np
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from models.morphable.builtin import load_face
from models.readers.meshes_out import write_obj
from models.readers.obj import parse_obj, read_obj
from models.types import Scan


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), vertices=st.integers(3, 60), triangles=st.integers(1, 90))
def test_a_mesh_comes_back_with_its_order_to_a_ten_thousandth(seed: int, vertices: int, triangles: int):
    rng = np.random.default_rng(seed)
    scan = Scan(
        (rng.normal(size=(vertices, 3)) * 10.0 ** rng.integers(-2, 3)).astype(np.float32),
        rng.integers(0, vertices, (triangles, 3)).astype(np.int32),
    )
    back = parse_obj(write_obj(scan), "memory")
    np.testing.assert_array_equal(back.triangles, scan.triangles)
    np.testing.assert_allclose(back.vertices, scan.vertices, atol=5.1e-5, rtol=1e-6)


def test_the_built_in_face_reads_back_from_a_file_and_in_trimesh(tmp_path):
    face = load_face()
    path = tmp_path / "face.obj"
    path.write_bytes(write_obj(Scan(face.template, face.triangles)))
    back = read_obj(path)
    np.testing.assert_array_equal(back.triangles, face.triangles)
    np.testing.assert_allclose(back.vertices, face.template, atol=6e-5)
    other = trimesh.load_mesh(io.BytesIO(path.read_bytes()), file_type="obj", process=False)
    np.testing.assert_array_equal(other.faces, face.triangles)
    np.testing.assert_allclose(other.vertices, face.template, atol=6e-5)


def test_numbers_are_written_without_exponents():
    scan = Scan(np.array([[1e-7, -2.5e5, 3], [0, 0, 0], [1, 1, 1]], np.float32), np.array([[0, 1, 2]], np.int32))
    assert write_obj(scan).decode().splitlines()[1:] == [
        "v 0.0000 -250000.0000 3.0000",
        "v 0.0000 0.0000 0.0000",
        "v 1.0000 1.0000 1.0000",
        "f 1 2 3",
    ]
