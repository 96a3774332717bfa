import math

import pytest
import torch
from torch import nn

from models.errors import ConfigurationError
from models.training.device import pick_device
from models.training.recipe import Recipe, build_optimiser, build_schedule, rate_factor


def recipe(**changes) -> Recipe:
    return Recipe(**{"epochs": 2, "batch_size": 4, "learning_rate": 0.1, "weight_decay": 0.01, "seed": 0} | changes)


def test_the_rate_rises_to_its_peak_and_falls_to_nothing():
    factors = [rate_factor(step, 100, 0.1) for step in range(101)]
    assert factors[:10] == sorted(factors[:10])
    assert factors[0] > 0
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[55] == pytest.approx(0.5)
    assert factors[100] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_very_short_runs_have_rates_too(steps):
    assert all(0 <= rate_factor(step, steps, 0.1) <= 1 for step in range(steps + 1))
    assert rate_factor(0, steps, 0.1) > 0


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_weight_decay_spares_biases_and_slopes(name):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.PReLU(2), nn.BatchNorm2d(2))
    kernels, rest = build_optimiser(network, recipe(optimiser=name)).param_groups
    assert [parameter.ndim for parameter in kernels["params"]] == [4]
    assert [parameter.ndim for parameter in rest["params"]] == [1, 1, 1, 1]
    assert (kernels["weight_decay"], rest["weight_decay"]) == (0.01, 0.0)


def test_the_schedule_multiplies_the_peak_rate():
    optimiser = build_optimiser(nn.Linear(1, 1), recipe())
    schedule = build_schedule(optimiser, 10, recipe())
    rates = []
    for _ in range(10):
        optimiser.step()
        rates.append(optimiser.param_groups[0]["lr"])
        schedule.step()
    expected = [0.05, *(0.1 * 0.5 * (1 + math.cos(math.pi * k / 9)) for k in range(9))]
    assert rates == pytest.approx(expected)


def test_devices_are_picked_by_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [pick_device(name).type for name in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    with pytest.raises(ConfigurationError, match="choose 'cpu' or 'auto'"):
        pick_device("cuda")
