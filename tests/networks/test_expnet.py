import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.networks.expnet import CoefficientLayout, build_expnet
from models.types import Coefficients, Pose


@pytest.fixture(scope="module", autouse=True)
def monai_is_imported():
    import monai.networks.nets.resnet  # noqa: F401 - seconds, outside the first test's clock


# Published parameter counts of the ImageNet classifiers with 1000 outputs.
@pytest.mark.parametrize(("depth", "published"), [(18, 11_689_512), (50, 25_557_032), (101, 44_549_160)])
def test_full_width_has_the_published_number_of_parameters(depth, published):
    network = build_expnet(depth, 1.0, 1000)
    assert sum(parameter.numel() for parameter in network.parameters()) == published


def test_the_demo_network_has_about_a_million_parameters_and_starts_near_the_mean_face():
    network = build_expnet(18, 0.3, 134).eval()
    assert 0.9e6 < sum(parameter.numel() for parameter in network.parameters()) < 1.2e6
    outputs = network(torch.randn(2, 3, 96, 96))
    assert outputs.shape == (2, 134)
    assert outputs.abs().max() < 0.5


def test_an_unknown_depth_names_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"18, 50, 101"):
        build_expnet(34, 1.0, 134)


angles = st.floats(-90, 90)
shifts = st.floats(-100, 100)


@given(angles, angles, angles, st.tuples(shifts, shifts, shifts), st.integers(0, 2**32 - 1))
def test_unpacking_undoes_packing(pitch, yaw, roll, translation, seed):
    rng = np.random.default_rng(seed)
    identity, expression = (rng.normal(size=n).astype(np.float32) for n in (99, 29))
    face = Coefficients("bfm", identity, expression, pose=Pose(pitch, yaw, roll, translation))
    layout = CoefficientLayout()
    back = layout.unpack(layout.pack(face), "bfm")
    assert (back.identity == identity).all()
    assert (back.expression == expression).all()
    assert back.pose is not None
    assert_allclose(back.pose[:3], (pitch, yaw, roll), atol=1e-4)
    assert_allclose(back.pose.translation_mm, translation, atol=1e-4)


def test_a_target_holds_pose_in_scaled_radians_and_scaled_millimetres():
    layout = CoefficientLayout(identity=1, expression=1, angle_scale_rad=0.5, translation_scale_mm=10.0)
    face = Coefficients("s", np.float32([7]), np.float32([8]), pose=Pose(90, -180, 0, (10, 20, -30)))
    assert_allclose(layout.pack(face), [7, 8, np.pi, -2 * np.pi, 0, 1, 2, -3], rtol=1e-6)


def test_outputs_split_by_meaning():
    layout = CoefficientLayout(identity=3, expression=2)
    parts = layout.split(torch.arange(22.0).reshape(2, 11))
    assert [part[1].tolist() for part in parts] == [[11, 12, 13], [14, 15], [16, 17, 18, 19, 20, 21]]
    assert layout.size == 11


@pytest.mark.parametrize("pose", [None, Pose(0, 0, 0, (0, 0, 0))])
def test_coefficients_that_do_not_fit_the_layout_are_refused(pose):
    short = Coefficients("bfm", np.zeros(99 if pose is None else 80, np.float32), np.zeros(29, np.float32), pose=pose)
    with pytest.raises(ConfigurationError, match="truncate"):
        CoefficientLayout().pack(short)
