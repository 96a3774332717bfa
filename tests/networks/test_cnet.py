import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.networks.cnet import CNet, confident_mean, plain_mean


def trained_like(features=12, identity=5):
    network = CNet(features, identity, hidden=8)
    torch.nn.init.normal_(network.outer.weight, std=3.0)
    return network


@given(st.integers(0, 2**32 - 1))
def test_confidences_are_positive_whatever_the_features(seed):
    torch.manual_seed(seed)
    confidence = trained_like()(100 * torch.randn(7, 12))
    assert confidence.shape == (7, 5)
    assert (confidence > 0).all()


def test_the_mean_is_weighted_element_by_element():
    rng = np.random.default_rng(0)
    identity, confidence = rng.normal(size=(3, 4, 5)), rng.uniform(0.01, 9, (3, 4, 5))
    found = confident_mean(torch.tensor(identity), torch.tensor(confidence)).numpy()
    for person in range(3):
        for k in range(5):
            expected = np.average(identity[person, :, k], weights=confidence[person, :, k])
            assert_allclose(found[person, k], expected, rtol=1e-12)


def test_it_starts_as_the_plain_mean():
    identity, features = torch.randn(2, 3, 80), torch.randn(6, 64)
    confidence = CNet(64)(features).unflatten(0, (2, 3))
    assert_allclose(confident_mean(identity, confidence).detach().numpy(), plain_mean(identity).numpy(), atol=1e-6)
    assert_allclose(plain_mean(identity).numpy(), identity.numpy().mean(axis=1), atol=1e-6)


def test_only_ratios_of_confidences_matter_and_one_photo_is_itself():
    identity, confidence = torch.randn(2, 3, 5).double(), torch.rand(2, 3, 5).double() + 0.1
    scale = torch.rand(2, 1, 5).double() + 0.5
    assert_allclose(confident_mean(identity, scale * confidence), confident_mean(identity, confidence), rtol=1e-9)
    assert_allclose(confident_mean(identity[:, :1], confidence[:, :1]), identity[:, 0], rtol=1e-12)


def test_the_gradient_reaches_the_confidences_and_agrees_with_finite_differences():
    identity = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    confidence = (torch.rand(2, 3, 4, dtype=torch.float64) + 0.1).requires_grad_(True)
    assert torch.autograd.gradcheck(confident_mean, (identity, confidence))


def test_training_learns_which_photos_to_trust():
    torch.manual_seed(0)
    network = CNet(6, 5, hidden=16)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)

    def views(people):
        """Half the photos are bad, and a feature says so."""
        truth = torch.randn(people, 1, 5)
        bad = torch.rand(people, 4, 1) < 0.5
        features = torch.cat([bad.float(), torch.randn(people, 4, 5)], dim=2)
        return truth[:, 0], truth + torch.where(bad, 1.5, 0.1) * torch.randn(people, 4, 5), features

    def error(mean, truth):
        return (mean - truth).square().mean()

    for _ in range(300):
        truth, identity, features = views(64)
        loss = error(confident_mean(identity, network(features)), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        truth, identity, features = views(2000)
        assert error(confident_mean(identity, network(features)), truth) < 0.6 * error(plain_mean(identity), truth)
