"""The recogniser's view in a reconstruction loss, against cosines written out."""

import numpy as np
import pytest
import torch
from torch import nn

from models.losses.l2 import L2
from models.losses.recognition_aware import RecognitionAware


class Imaging(nn.Module):
    """Three 2 x 2 images out of twelve numbers."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors.unflatten(1, (3, 2, 2))


def branches() -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.BatchNorm1d(5)) for _ in range(3)]


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return torch.randn((6, 12), generator=draw), torch.randn((6, 12), generator=draw)


def test_it_is_the_base_and_the_mean_of_one_minus_each_cosine():
    predicted, target = pair()
    networks = branches()
    loss = RecognitionAware(L2(), Imaging(), networks, weight=3.0)
    far = []
    for axis, network in enumerate(networks):
        ours, theirs = (network(each.reshape(6, 3, 4)[:, axis]).detach().numpy() for each in (predicted, target))
        lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        far.append(np.mean(1 - (ours * theirs).sum(axis=1) / lengths))
    expected = float(L2()(predicted, target)) + 3.0 * float(np.mean(far))
    assert float(loss(predicted, target)) == pytest.approx(expected, rel=1e-5)


def test_the_true_face_costs_nothing_and_a_stranger_something():
    predicted, target = pair()
    loss = RecognitionAware(L2(), Imaging(), branches(), weight=1.0)
    assert float(loss(target, target)) == pytest.approx(0, abs=1e-5)
    assert float(loss.distance(predicted, target)) > 0.2


def test_the_reconstruction_learns_and_the_recogniser_does_not():
    predicted, target = pair()
    networks = branches()
    loss = RecognitionAware(L2(), Imaging(), networks, weight=1.0)
    loss.train()
    loss.distance(predicted.requires_grad_(), target).backward()
    assert predicted.grad is not None
    assert (predicted.grad.abs().sum(dim=1) > 0).all()
    assert not list(loss.parameters())
    assert not any(network.training for network in networks)
