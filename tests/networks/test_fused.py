import pytest
import torch

from models.errors import ConfigurationError
from models.networks.fused import FusedBranches
from models.networks.sphere20 import Sphere20


def branches() -> list[Sphere20]:
    return [Sphere20(1, 0.0625, (32, 24), embedding=16).eval() for _ in range(3)]


def test_each_axis_goes_through_its_own_branch():
    three, images = branches(), torch.randn(3, 2, 1, 32, 24)
    found = FusedBranches(*three, normalise=False)(*images)
    for branch, image, embedding in zip(three, images, found, strict=True):
        torch.testing.assert_close(embedding, branch(image))


def test_normalised_embeddings_have_unit_length_and_the_same_direction():
    three, images = branches(), torch.randn(3, 2, 1, 32, 24)
    for branch, image, embedding in zip(three, images, FusedBranches(*three)(*images), strict=True):
        raw = branch(image)
        torch.testing.assert_close(embedding * raw.norm(dim=1, keepdim=True), raw)


@pytest.mark.parametrize("other", [Sphere20(3, 0.0625, (32, 24), 16), Sphere20(1, 0.0625, (32, 32), 16)])
def test_branches_that_take_different_images_are_refused(other):
    with pytest.raises(ConfigurationError, match="three alike"):
        FusedBranches(*branches()[:2], other)


def test_three_photo_networks_are_refused():
    with pytest.raises(ConfigurationError, match="one channel"):
        FusedBranches(*(Sphere20(3, 0.0625, (32, 24), 16) for _ in range(3)))
