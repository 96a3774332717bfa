import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.networks.rnet_layout import RNetLayout
from models.rendering.lighting import shade
from models.types import Coefficients, Pose

LAYOUT = RNetLayout()
angles = st.floats(-89, 89)
shifts = st.floats(-100, 100)


POSE = Pose(3.0, -12.0, 5.0, (4.0, -2.0, -1010.0))


def some_face(seed=0, pose=POSE, **changes):
    rng = np.random.default_rng(seed)
    parts = {"identity": 80, "expression": 64, "texture": 80} | changes
    numbers = {name: rng.normal(size=size).astype(np.float32) for name, size in parts.items()}
    return Coefficients("s", **numbers, light=rng.normal(size=(9, 3)).astype(np.float32), pose=pose)


def test_the_vector_is_the_public_one():
    assert LAYOUT.size == 257
    parts = LAYOUT.split(torch.arange(257.0)[None])
    ends = [(part[0, 0].item(), part[0, -1].item()) for part in parts]
    assert ends == [(0, 79), (80, 143), (144, 223), (224, 226), (227, 253), (254, 256)]
    assert parts._fields == ("identity", "expression", "texture", "angles", "light", "translation")


@given(angles, angles, angles, st.tuples(shifts, shifts, st.floats(-2000, -500)), st.integers(0, 2**32 - 1))
def test_unpacking_undoes_packing(pitch, yaw, roll, translation, seed):
    face = some_face(seed, Pose(pitch, yaw, roll, translation))
    back = LAYOUT.unpack(LAYOUT.pack(face), "s")
    for name in ("identity", "expression", "texture", "light"):
        assert_allclose(getattr(back, name), getattr(face, name), atol=1e-5)
    assert back.pose is not None
    assert_allclose(back.pose[:3], (pitch, yaw, roll), atol=1e-4)
    assert_allclose(back.pose.translation_mm, translation, atol=1e-3)


def test_outputs_of_zero_are_the_mean_face_before_the_camera_in_grey_light_from_the_front():
    face = LAYOUT.unpack(np.zeros(257, np.float32), "s")
    assert not face.identity.any()
    assert face.pose == Pose(0, 0, 0, (0, 0, -1024))
    lit = shade(np.ones((2, 3)), np.array([[0.0, 0, 1], [0, 0, -1]]), face.light)
    assert_allclose(lit, lit[:, :1].repeat(3, axis=1), rtol=1e-6)
    assert 0.6 < lit[0, 0] < 1.1
    assert 0 < lit[1, 0] < 0.6 * lit[0, 0]


def test_the_light_is_nine_harmonics_of_red_then_of_green_then_of_blue():
    outputs = torch.zeros(1, 257)
    outputs[0, 227 + 9 + 2] = 1.0
    change = LAYOUT.decode(outputs).light - LAYOUT.decode(torch.zeros(1, 257)).light
    assert_allclose(change[0, 2].numpy(), [0, LAYOUT.light_scale, 0], atol=1e-7)
    assert change.count_nonzero() == 1


def test_a_label_is_shape_and_pose_as_the_network_should_give_them():
    face = some_face()
    label, vector = LAYOUT.label(face), LAYOUT.pack(face)
    assert len(label) == LAYOUT.label_size == 150
    assert_allclose(LAYOUT.labelled(torch.from_numpy(vector)[None])[0].numpy(), label)
    assert_allclose(label[-6:], [*np.radians([3, -12, 5]) / 0.35, 4 / 20, -2 / 20, 14 / 20], rtol=1e-5)


def test_another_identity_leaves_all_else_alone():
    outputs, identity = torch.randn(3, 257), torch.randn(3, 80)
    parts, before = LAYOUT.split(LAYOUT.with_identity(outputs, identity)), LAYOUT.split(outputs)
    assert torch.equal(parts.identity, identity)
    assert all(torch.equal(one, other) for one, other in zip(parts[1:], before[1:], strict=True))


@pytest.mark.parametrize(
    ("face", "complaint"),
    [
        (some_face(identity=99), "truncate"),
        (some_face(expression=29), "truncate"),
        (some_face(pose=None), "truncate"),
        (some_face(texture=40), "texture"),
        (
            Coefficients("s", np.zeros(80, np.float32), np.zeros(64, np.float32), pose=Pose(0, 0, 0, (0, 0, 0))),
            "texture",
        ),
    ],
)
def test_coefficients_that_do_not_fit_are_refused(face, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        LAYOUT.pack(face)
