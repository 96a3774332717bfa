import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.autograd import gradcheck

from models.rendering.batch_camera import place, project_points, rotations
from models.rendering.camera import PerspectiveCamera, project, rotation_from_angles

CAMERA = PerspectiveCamera(435.0, (47.5, 46.0))
degrees = st.floats(-180, 180)


@given(st.lists(st.tuples(degrees, degrees, degrees), min_size=1, max_size=3))
def test_rotations_are_those_of_the_camera_module(rows):
    found = rotations(torch.tensor(np.radians(rows)))
    for matrix, angles in zip(found, rows, strict=True):
        assert_allclose(matrix.numpy(), rotation_from_angles(*angles), atol=1e-12)


def test_a_placed_face_is_turned_about_its_origin_and_then_moved():
    rng = np.random.default_rng(0)
    points, angles, shift = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    found = place(torch.tensor(points), torch.tensor(angles), torch.tensor(shift)).numpy()
    for k in range(2):
        rotation = rotation_from_angles(*np.degrees(angles[k]))
        assert_allclose(found[k], [rotation @ point + shift[k] for point in points[k]], atol=1e-12)


def test_projection_is_that_of_the_camera_module():
    points = np.random.default_rng(1).uniform([-80, -80, -1500], [80, 80, -600], (2, 40, 3))
    found = project_points(torch.tensor(points), CAMERA).numpy()
    for k in range(2):
        assert_allclose(found[k], project(points[k], CAMERA)[:, :2], atol=1e-4)


def test_pose_and_projection_have_the_gradients_of_their_finite_differences():
    rng = np.random.default_rng(2)
    points = torch.tensor(rng.normal(0, 50, (2, 4, 3)), requires_grad=True)
    angles = torch.tensor(rng.normal(0, 0.4, (2, 3)), requires_grad=True)
    shift = torch.tensor(rng.normal([0, 0, -900], 5, (2, 3)), requires_grad=True)
    assert gradcheck(lambda p, a, t: project_points(place(p, a, t), CAMERA), (points, angles, shift), atol=1e-6)
