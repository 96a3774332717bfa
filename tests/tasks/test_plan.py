"""A plan is arithmetic on rates that were measured; its rates are those of the functions that the flow calls."""

from math import prod
from pathlib import Path

import pytest
import torch

from infra.profiles import load_profile
from infra.settings import load_settings
from models.networks.sphere20 import Sphere20
from tasks import kept_rates
from tasks.kept_rates import rates_of
from tasks.plan import limits, plan, works
from tasks.rates import Rate, _training_rate, measure_rates

PAPER = load_profile("paper")
ONE_SECOND = Rate(1.0, 1000.0, 2e9)


def test_the_papers_job_is_counted_in_photos_epochs_axes_and_losses():
    found = {work.stage: work for work in works(PAPER, 3_310_000)}
    assert found["align photos"].shards == 8275
    assert found["pre-train on photos"].items == 3_310_000 * 20
    assert found["fine-tune (3 axes, 2 losses)"].items == 3_310_000 * 10 * 6
    assert found["train ExpNet"].items == (50_000 + 500) * 4 * 30
    assert found["clean and encode scans"].items == 2500


def test_costs_follow_from_the_rates():
    rates = dict.fromkeys({work.rate for work in works(PAPER, 3600)}, ONE_SECOND)
    costs = {cost.work.stage: cost for cost in plan(PAPER, 3600, rates, gpu_tflops=2.0)}
    assert costs["align photos"].core_hours == pytest.approx(1.0)
    assert costs["align photos"].size_gb == pytest.approx(3600 * 1000 / 1e9)
    assert costs["align photos"].gpu_hours == pytest.approx(3600 * 2e9 / 2e12 / 3600)
    assert costs["pre-train on photos"].size_gb == 0
    twice = {cost.work.stage: cost for cost in plan(PAPER, 7200, rates, gpu_tflops=2.0)}
    assert twice["reconstruct"].core_hours == pytest.approx(2 * costs["reconstruct"].core_hours)
    assert twice["train ExpNet"].core_hours == costs["train ExpNet"].core_hours


def test_limits_name_the_dearest_stage_and_shards_of_an_odd_length():
    rates = dict.fromkeys({work.rate for work in works(PAPER, 400_000)}, ONE_SECOND)
    told = limits(plan(PAPER, 400_000, rates | {"align": Rate(0.001, 1.0)}, 50.0), 400_000)
    assert told[0].startswith("time: fine-tune (3 axes, 2 losses) is")
    assert any(line.startswith("align photos: a shard takes 0.4 s") for line in told)
    assert not any(line.startswith("reconstruct:") for line in told)


def test_operations_of_a_training_step_are_those_of_the_convolutions_three_times():
    """Forward, gradients of inputs and of kernels cost the same, but nobody asks for that of the image."""
    torch.manual_seed(0)
    network = Sphere20(1, 0.0625, (32, 32), 16, batch_norm=True)
    counted = []

    def count(module, _, output) -> None:
        if isinstance(module, torch.nn.Conv2d):
            counted.append(2 * output.numel() * module.in_channels * prod(module.kernel_size))
        elif isinstance(module, torch.nn.Linear):
            counted.append(2 * output.numel() * module.in_features)

    for module in network.modules():
        module.register_forward_hook(count)
    network.eval()(torch.zeros(1, 1, 32, 32))
    once, first = sum(counted), counted[0]
    assert _training_rate(network, (1, 32, 32)).flops == pytest.approx(3 * once - first, rel=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_rates_are_measured_at_the_profiles_sizes_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tiny, settings = load_profile("tiny"), load_settings(home=tmp_path)
    kept = rates_of(settings, tiny, anew=False)
    assert {work.rate for work in works(tiny, 100)} <= kept.rates.keys()
    assert all(rate.seconds > 0 for rate in kept.rates.values())
    recogniser, larger = tiny.recogniser.photo_pixels, tiny.expnet.pixels
    assert kept.rates["align"].size_bytes > 3 * (recogniser**2 + larger**2)
    assert kept.rates["encode"].size_bytes > 3 * tiny.normals.pixels**2
    assert kept.rates["finetune"].flops > 2 * kept.rates["embed"].flops
    monkeypatch.setattr(kept_rates, "measure_rates", lambda _: pytest.fail("measured again"))
    assert rates_of(settings, tiny, anew=False) == kept
    assert measure_rates is not kept_rates.measure_rates
