import pytest
import torch

from models.networks.texface.encoder import StyleEncoder


@pytest.fixture(scope="module", autouse=True)
def monai_is_imported():
    import monai.networks.nets.resnet  # noqa: F401 - seconds, outside the first test's clock


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    network = StyleEncoder(18, 0.125, code=9)
    with torch.no_grad():
        for layer in (network.pose_head, network.code_head, network.guide[-1]):
            layer.weight.normal_(std=0.3)
    return network.eval()


PHOTOS = torch.linspace(-1, 1, 2 * 3 * 48 * 48).reshape(2, 3, 48, 48).sin()


@pytest.mark.parametrize("depth", [18, 50])
def test_outputs_are_a_code_and_a_pose_that_start_near_zero(depth):
    network = StyleEncoder(depth, 0.125, code=9).eval()
    code, pose = network.split(network(PHOTOS))
    assert code.shape == (2, 9)
    assert pose.shape == (2, 6)
    assert max(code.abs().max(), pose.abs().max()) < 0.5


def test_a_told_pose_guides_the_code_and_leaves_the_estimate(encoder):
    told = torch.tensor([[0.5, -1, 0, 0, 0, 0.2]] * 2)
    code, pose = encoder.split(encoder(PHOTOS, told))
    own_code, own_pose = encoder.split(encoder(PHOTOS))
    torch.testing.assert_close(pose, own_pose)
    assert (code - own_code).abs().max() > 0.05


def test_a_pose_of_nan_is_estimated(encoder):
    told = torch.tensor([[0.5, -1, 0, 0, 0, 0.2], [torch.nan] * 6])
    mixed, told_all, own = (encoder(PHOTOS, pose) for pose in (told, told.nan_to_num(0.3), None))
    torch.testing.assert_close(mixed[0], told_all[0])
    torch.testing.assert_close(mixed[1], own[1])


def test_the_estimate_told_back_changes_nothing(encoder):
    own = encoder(PHOTOS)
    torch.testing.assert_close(encoder(PHOTOS, own[:, 9:]), own)


def test_the_code_does_not_teach_the_pose(encoder):
    encoder.split(encoder(PHOTOS))[0].square().sum().backward()
    assert not encoder.pose_head.weight.grad.any()
    for name, parameter in encoder.named_parameters():
        if "pose_head" not in name:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name
