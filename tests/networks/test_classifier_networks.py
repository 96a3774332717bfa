"""Residual classifiers: their depth, sizes and outputs, and that normalising travels with the weights."""

import copy

import numpy as np
import pytest
import torch
from monai.networks.nets.resnet import ResNet
from numpy.testing import assert_allclose
from torch import nn

from models.errors import ConfigurationError
from models.networks.classifier import Probabilities, build_coefficient_classifier, build_photo_classifier
from models.networks.residual import OneRow, ResNet32, build_trunk

CLASSES = {"expression": 7, "gender": 2}


def weighted_layers(network: nn.Module, wide: int) -> int:
    """Convolutions on the main path: those wider than one place; shortcuts have kernels of one."""
    kinds = (nn.Conv1d, nn.Conv2d)
    return sum(isinstance(each, kinds) and max(each.kernel_size) >= wide for each in network.modules())


@pytest.mark.parametrize("depth", [32, 34])
@pytest.mark.parametrize("spatial_dims", [1, 2])
def test_depth_counts_the_layers_with_weights(depth: int, spatial_dims: int):
    trunk = build_trunk(depth, spatial_dims, 1, 0.25)
    assert weighted_layers(trunk.network, 3) + 1 == depth, "and the fully connected layer"


def test_a_resnet34_of_images_has_the_published_size():
    network = build_photo_classifier(1.0, {"class": 1000})
    assert sum(each.numel() for each in network.parameters()) == 21_797_672, "torchvision's documentation"


def test_a_resnet32_has_the_published_size_but_for_projections_at_two_shortcuts():
    network = build_trunk(32, 2, 3, 1.0).network
    projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert sum(each.numel() for each in network.parameters()) - projections + 64 * 10 + 10 == 464_154


@pytest.mark.parametrize("depth", [32, 34])
@pytest.mark.parametrize("size", [64, 80, 144])
def test_vectors_become_logits_of_each_task(depth: int, size: int):
    network = build_coefficient_classifier(depth, 0.25, CLASSES, torch.zeros(size), torch.eye(size))
    logits = network(torch.randn(3, size))
    assert [tuple(each.shape) for each in logits] == [(3, 7), (3, 2)]


@pytest.mark.parametrize("training", [True, False])
def test_pictures_of_one_row_give_what_signals_give_and_the_same_gradients(training: bool):
    torch.manual_seed(0)
    monai = ResNet(
        "basic", [1, 1, 1, 1], [8, 8, 16, 16], 1, 1, 7, 2, bias_downsample=False, feed_forward=False
    )  # the other pooling layers and strides
    for signals in (monai, ResNet32(1, 1, 0.5)):
        signals.train(training)
        rows = OneRow(copy.deepcopy(signals))
        assert not any(isinstance(each, nn.Conv1d | nn.BatchNorm1d) for each in rows.modules())
        values = torch.randn(6, 1, 40)
        ours, theirs = rows(values), signals(values)
        assert_allclose(ours.detach(), theirs.detach(), atol=1e-5)
        for each in (ours, theirs):
            each.square().sum().backward()
        for (name, mine), (_, other) in zip(rows.named_parameters(), signals.named_parameters(), strict=True):
            assert mine.grad is not None, name
            assert_allclose(mine.grad.flatten(), other.grad.flatten(), rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_network_sees_whitened_numbers_and_none_without_spread():
    mean, spread = torch.tensor([5.0, -2.0, 7.0] * 8), torch.tensor([2.0, 0.5, 0.0] * 8)
    turn = torch.linalg.qr(torch.randn(24, 24, generator=torch.Generator().manual_seed(2)))[0]
    transform = torch.diag(torch.where(spread > 0, 1 / spread.clamp(min=0.1), 0.0)) @ turn
    torch.manual_seed(0)
    network = build_coefficient_classifier(32, 0.5, CLASSES, mean, transform).eval()
    plain = build_coefficient_classifier(32, 0.5, CLASSES, torch.zeros(24), torch.eye(24)).eval()
    plain.trunk.load_state_dict(network.trunk.state_dict())
    plain.heads.load_state_dict(network.heads.state_dict())
    raw = torch.randn(4, 24) * 3
    by_hand = torch.where(spread > 0, (raw - mean) / torch.where(spread > 0, spread, 1.0), 0.0) @ turn
    for ours, theirs in zip(network(raw), plain(by_hand), strict=True):
        assert_allclose(ours.detach(), theirs.detach(), atol=1e-5)
    assert {"mean", "transform"} <= network.state_dict().keys()


def test_probabilities_are_softmax_at_each_tasks_temperature():
    network = build_coefficient_classifier(32, 0.5, CLASSES, torch.zeros(16), torch.eye(16)).eval()
    network.heads.get_buffer("temperatures").copy_(torch.tensor([2.0, 0.5]))
    values = torch.randn(5, 16)
    found = Probabilities(network)(values)
    for each, logits, temperature in zip(found, network(values), (2.0, 0.5), strict=True):
        wanted = np.exp(logits.detach().numpy() / temperature)
        assert_allclose(each.detach(), wanted / wanted.sum(axis=1, keepdims=True), rtol=1e-4)


def test_another_depth_and_a_width_of_nothing_are_refused():
    with pytest.raises(ConfigurationError, match="choose 32 or 34"):
        build_trunk(33, 1, 1, 1.0)
    with pytest.raises(ConfigurationError, match="leaves no channel"):
        build_trunk(32, 1, 1, 0.01)
