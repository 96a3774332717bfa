"""The equations against slow ones, and against a distribution whose best denoiser is known in closed form."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.networks.texface.diffusion import TIMES, noised, sample, signal_and_noise, step_back, velocity


def all_free(codes):
    return torch.zeros_like(codes, dtype=torch.bool)


def slow_alpha_bar(time: int) -> float:
    """Nichol and Dhariwal 2021, eq. 17, whose times count from 1."""

    def f(t: float) -> float:
        return math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2

    return f(time + 1) / f(0)


@pytest.mark.parametrize("time", [-1, 0, 1, 10, 499, 900, 998, 999])
def test_the_schedule_is_the_cosine(time):
    signal, noise = signal_and_noise(torch.tensor([time]))
    assert_allclose(signal.item() ** 2, slow_alpha_bar(time), atol=1e-5)
    assert_allclose(noise.item() ** 2, 1 - slow_alpha_bar(time), atol=1e-5)


def test_there_is_no_noise_before_the_first_time_and_nothing_else_at_the_last():
    signal, noise = signal_and_noise(torch.tensor([-1, TIMES - 1]))
    assert_allclose(signal.flatten(), [1, 0], atol=1e-6)
    assert_allclose(noise.flatten(), [0, 1], atol=1e-3)


@settings(max_examples=50)
@given(time=st.integers(1, 995), back=st.integers(1, 400), seed=st.integers(0, 2**31))
def test_a_step_back_is_equation_12_of_ddim(time, back, seed):
    earlier = max(time - back, -1)
    generator = torch.Generator().manual_seed(seed)
    codes, predicted = torch.randn(2, 1, 4, generator=generator, dtype=torch.float64)
    before, after = slow_alpha_bar(time), slow_alpha_bar(earlier)
    x, v = codes.numpy(), predicted.numpy()
    epsilon = math.sqrt(1 - before) * x + math.sqrt(before) * v  # Salimans and Ho 2022, appendix D
    clean = (x - math.sqrt(1 - before) * epsilon) / math.sqrt(before)
    slow = math.sqrt(after) * clean + math.sqrt(max(1 - after, 0.0)) * epsilon
    found = step_back(codes, predicted, torch.tensor([time]), torch.tensor([earlier]))
    assert_allclose(found, slow, atol=2e-4 / math.sqrt(before))


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_who_knows_the_answer_finds_it_in_any_number_of_steps(steps):
    torch.manual_seed(0)
    truth, noise = torch.randn(2, 5, 6)

    def knowing(codes, times):
        signal, share = signal_and_noise(times)
        return velocity(truth, torch.where(share > 0, (codes - signal * truth) / share, noise), times)

    assert_allclose(sample(knowing, noise, all_free(noise), steps), truth, atol=1e-3)


def test_with_the_best_denoiser_of_a_normal_distribution_noise_becomes_that_distribution():
    mean, deviation = torch.tensor([1.5, -0.5]), torch.tensor([0.4, 1.3])

    def best(codes, times):
        signal, share = signal_and_noise(times)
        gain = signal * deviation**2 / (signal**2 * deviation**2 + share**2)
        clean = mean + gain * (codes - signal * mean)
        return velocity(clean, (codes - signal * clean) / share, times)

    noise = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    made = sample(best, noise, all_free(noise), 200)
    # without fresh noise every sample keeps its quantile, so the map is known for each point, not only on the whole
    assert_allclose(made, mean + deviation * noise, atol=0.06)


@pytest.mark.parametrize("steps", [0, 1001])
def test_an_impossible_number_of_steps_is_refused(steps):
    with pytest.raises(ConfigurationError, match="1 to 1000"):
        sample(lambda codes, _: codes, torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool), steps)


def test_fixed_numbers_stay_exactly_as_they_are():
    fixed = torch.tensor([[True, False, True], [False, False, True]])
    start = torch.randn(2, 3)
    seen = []

    def predict(codes, times):
        seen.append(codes.clone())
        return torch.ones_like(codes)

    made = sample(predict, start, fixed, 7)
    assert torch.equal(made[fixed], start[fixed])
    assert all(torch.equal(codes[fixed], start[fixed]) for codes in seen)
    assert not torch.isclose(made[~fixed], start[~fixed]).any()


def test_noise_and_code_are_mixed_to_unit_variance():
    generator = torch.Generator().manual_seed(0)
    codes, noise = torch.randn(2, 20_000, 1, generator=generator)
    for time in (0, 300, 700, 999):
        times = torch.full((20_000,), time)
        assert_allclose(noised(codes, noise, times).std().item(), 1, atol=0.02)
        assert_allclose(velocity(codes, noise, times).std().item(), 1, atol=0.02)
        assert abs(np.mean((noised(codes, noise, times) * velocity(codes, noise, times)).numpy())) < 0.03
