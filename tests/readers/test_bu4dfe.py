"""BU-4DFE: frames read back as written, with the traps of its VRML and of its names."""

import numpy as np
import pytest

from models.errors import DataError
from models.readers.bu4dfe import FOLDERS, index_bu4dfe, write_bu4dfe
from models.readers.vrml import read_vrml
from models.types import Scan

JPEG = b"\xff\xd8\xff\xe0 not decoded here"


def scan(seed=0):
    generator = np.random.default_rng(seed)
    vertices = (generator.normal(size=(120, 3)) * 70).astype(np.float32)
    return Scan(vertices, generator.integers(0, 120, (200, 3)).astype(np.int32))


def test_frames_read_back_as_written(tmp_path):
    for frame in range(3):
        write_bu4dfe(tmp_path, "F001", "Angry", frame, scan(frame), JPEG)
    for frame, record in enumerate(index_bu4dfe(tmp_path)):
        assert record.path == f"F001/Angry/00{frame}.wrl"
        back = read_vrml(tmp_path / record.path)
        np.testing.assert_allclose(back.vertices, scan(frame).vertices, atol=1e-5)
        np.testing.assert_array_equal(back.triangles, scan(frame).triangles)
        assert (tmp_path / record.path).with_suffix(".jpg").read_bytes() == JPEG
    text = (tmp_path / "F001/Angry/002.wrl").read_text()
    assert text.startswith("#VRML V2.0 utf8\n")
    assert 'url "002.jpg"' in text


def test_a_first_vertex_on_the_line_of_its_bracket_and_polygons_up_to_six_are_read(tmp_path):
    """As scanner software exports it: separators of both kinds, texture coordinates and their own index beside."""
    path = tmp_path / "000.wrl"
    path.write_text(
        '#VRML V2.0 utf8\nShape { appearance Appearance { texture ImageTexture { url "000.jpg" } }\n'
        "geometry IndexedFaceSet { coord Coordinate { point [ 0 0 0,\n90 0 0, 90 90 0\n0 90 0 -40 45 1, -40 20 1 ] }\n"
        "texCoord TextureCoordinate { point [ 0.1 0.2, 0.3 0.4\n0.5 0.6 ] }\n"
        "coordIndex [ 0 1 2 -1, 0, 1, 2, 3, -1\n0 1 2 3 4 -1 0 1 2 3 4 5 -1 ]\n"
        "texCoordIndex [ 0 1 2 -1 0 1 2 0 -1 0 1 2 0 1 -1 0 1 2 0 1 2 -1 ] } }\n"
    )
    mesh = read_vrml(path)
    assert mesh.vertices.shape == (6, 3)
    assert mesh.vertices[0].tolist() == [0, 0, 0]
    fans = [[0, k, k + 1] for corners in (3, 4, 5, 6) for k in range(1, corners - 1)]
    assert mesh.triangles.tolist() == fans


def test_the_index_reads_names_alone():
    names = ["BU4DFE/M043/Surprise/101.wrl", "BU4DFE/M043/Surprise/101.jpg", "tools/mesh.wrl"]
    (record,) = index_bu4dfe(names)
    assert (record.subject, record.gender, record.expression) == ("M043", "m", "surprised")
    assert record.labels == {"frame": "101"}
    words = {next(index_bu4dfe([f"F001/{folder}/000.wrl"])).expression for folder in FOLDERS}
    assert words == {"angry", "disgusted", "afraid", "happy", "sad", "surprised"}


@pytest.mark.parametrize("name", ["F001/Joy/000.wrl", "F001/Angry/1.wrl", "F001/Angry/000_x.wrl", "F001/000.wrl"])
def test_other_names_in_a_persons_folder_are_refused(name, tmp_path):
    with pytest.raises(DataError, match="not a BU-4DFE name like"):
        index_bu4dfe([name])
    with pytest.raises(DataError, match="no F001"):
        index_bu4dfe(["other/000.wrl"])


def test_the_writer_refuses_what_the_format_does_not_have(tmp_path):
    for subject, folder in (("F1", "Angry"), ("F001", "Joy")):
        with pytest.raises(DataError):
            write_bu4dfe(tmp_path, subject, folder, 0, scan())
    with pytest.raises(DataError, match="not a JPEG"):
        write_bu4dfe(tmp_path, "F001", "Angry", 0, scan(), b"PNG")
    assert not list(tmp_path.iterdir())
