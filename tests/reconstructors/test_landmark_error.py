import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.morphable.textured import load_textured_face
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.crop_camera import crop_camera
from models.reconstructors.landmark_error import landmark_error, projected_landmarks
from models.training.face_synthesis import FaceSynthesis
from models.types import Coefficients

FACE, LAYOUT, PIXELS = load_textured_face(subdivisions=0), RNetLayout(), 96


@pytest.fixture(scope="module")
def faces():
    outputs = 0.5 * np.random.default_rng(0).normal(size=(4, 257)).astype(np.float32)
    return outputs, [LAYOUT.unpack(row, FACE.space) for row in outputs]


def test_landmarks_are_where_training_projects_them(faces):
    outputs, coefficients = faces
    drawing = FaceSynthesis(FACE, crop_camera(PIXELS), PIXELS)
    expected = drawing.landmarks(drawing.vertices(LAYOUT.decode(torch.from_numpy(outputs)))).numpy()
    for face, points in zip(coefficients, expected, strict=True):
        assert_allclose(projected_landmarks(FACE, face, PIXELS), points, atol=0.01)


def test_landmarks_off_by_a_known_way_give_it_as_error(faces):
    _, coefficients = faces
    true = np.stack([projected_landmarks(FACE, face, PIXELS) for face in coefficients])
    error = landmark_error(FACE, coefficients, true + np.float32([3, 4]), PIXELS)
    eyes = np.linalg.norm(true[:, 45] - true[:, 36], axis=1)
    assert_allclose(error, (5.0, np.mean(5 / eyes), 4), rtol=1e-4)
    assert landmark_error(FACE, coefficients, true, PIXELS).pixels < 1e-6


def test_a_face_without_a_pose_has_no_landmarks():
    face = Coefficients(FACE.space, np.zeros(80, np.float32), np.zeros(64, np.float32))
    with pytest.raises(ConfigurationError, match="no pose"):
        projected_landmarks(FACE, face, PIXELS)
