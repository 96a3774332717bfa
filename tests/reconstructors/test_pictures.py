"""Shaded faces: where the surface is, how bright, and white elsewhere."""

import numpy as np

from models.geometry.range_image import Grid
from models.morphable.builtin import load_face
from models.reconstructors.pictures import KEY_LIGHT, shaded_face

GRID = Grid(64, 64, 1.0)
TWO = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)


def flat(normal: np.ndarray, half_mm: float = 20.0) -> np.ndarray:
    """A square with that normal, its corners counter-clockwise seen from the front."""
    normal = normal / np.linalg.norm(normal)
    right = np.cross([0.0, 1.0, 0.0], normal)
    right /= np.linalg.norm(right)
    up = np.cross(normal, right)
    return (half_mm * np.array([-right - up, right - up, right + up, -right + up])).astype(np.float32)


def test_a_flat_surface_is_as_bright_as_lamberts_law_says():
    light = KEY_LIGHT / np.linalg.norm(KEY_LIGHT)
    for normal in (np.array([0.0, 0, 1]), np.array([0.3, 0.2, 1]), np.array([-0.6, 0.5, 1]), np.array([0.9, -0.9, 1])):
        picture = shaded_face(flat(normal), TWO, GRID)
        expected = 255 * (0.18 + 0.8 * max(0.0, float(normal / np.linalg.norm(normal) @ light)))
        assert abs(int(picture[32, 32]) - expected) <= 1.5


def test_there_is_white_where_there_is_no_surface():
    picture = shaded_face(flat(np.array([0.0, 0, 1])), TWO, GRID)
    inside = np.zeros((64, 64), dtype=bool)
    inside[12:52, 12:52] = True
    assert (picture[~inside] == 255).all()
    assert (picture[14:50, 14:50] < 255).all()


def test_the_picture_is_the_right_way_up_and_centred():
    """A triangle with its point upwards and to the left, wherever it lies in space."""
    triangle = np.array([[-20, 20, 5], [-20, -20, 5], [20, -20, 5]], dtype=np.float32) + np.float32([300, -80, 0])
    picture = shaded_face(triangle, np.array([[0, 1, 2]], dtype=np.int32), GRID)
    shown = picture < 255
    assert shown[15:50, 13:15].all(axis=1).sum() > 30
    assert not shown[:30, 40:].any()
    assert shown[48:51, 16:44].all()


def test_a_face_fills_the_middle_and_its_left_is_lit():
    face = load_face()
    picture = shaded_face(face.template, face.triangles, Grid(112, 112, 1.7)).astype(float)
    shown = picture < 255
    assert 0.25 < shown.mean() < 0.95
    left, right = picture[:, :56][shown[:, :56]], picture[:, 56:][shown[:, 56:]]
    assert left.mean() > right.mean() + 10
