import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from models.training.batching import SeededBatches
from models.training.recipe import Recipe
from models.training.steps import StepLearner, describe_steps, fit_steps

RECIPE = Recipe(1, 4, 0.1, 0.0, seed=3, optimiser="sgd")


def learner(longest: float) -> StepLearner:
    torch.manual_seed(0)
    return StepLearner(nn.Linear(3, 2), lambda batch, _: batch[0].sum(), RECIPE, 1, {}, longest)


@pytest.mark.parametrize(("longest", "factor"), [(math.inf, 1.0), (50.0, 1.0), (5.0, 0.5)])
def test_only_gradients_longer_than_the_longest_are_shortened(longest, factor):
    trained = learner(longest)
    trained.network.weight.grad = torch.tensor([[6.0, 0, 0], [0, 0, 0]])
    trained.network.bias.grad = torch.tensor([0.0, -8.0])
    trained.on_before_optimizer_step(torch.optim.SGD(trained.parameters(), 0.1))
    assert_allclose(trained.network.weight.grad[0, 0], 6 * factor, rtol=1e-4)
    assert_allclose(trained.network.bias.grad[1], -8 * factor, rtol=1e-4)


def test_a_step_gets_the_rows_of_its_batch_and_random_numbers_that_repeat(tmp_path):
    values = np.arange(8, dtype=np.float32)[:, None]

    def run(folder):
        network, seen = nn.Linear(1, 1), []

        def step(batch, generator):
            seen.append((batch[0].flatten().tolist(), float(torch.rand((), generator=generator))))
            return network(batch[0]).square().mean()

        result = fit_steps(
            network,
            step,
            lambda rows: (torch.from_numpy(values[rows]),),
            SeededBatches(8, 4, 3),
            RECIPE,
            {},
            checkpoint_dir=tmp_path / folder,
            on_epoch=str,
            device=torch.device("cpu"),
        )
        assert result.finished
        return seen

    first = run("a")
    assert sorted(first[0][0] + first[1][0]) == values.flatten().tolist()
    assert first[0][1] != first[1][1]
    assert run("b") == first


def test_a_run_is_another_with_other_numbers_data_or_weights():
    torch.manual_seed(0)
    network, other = nn.Linear(2, 1), nn.Linear(2, 1)
    data = {"codes": np.zeros(3, dtype=np.float32)}
    runs = [
        describe_steps(network, RECIPE, {"mirror": 0.5}, data),
        describe_steps(network, Recipe(2, 4, 0.1, 0.0, seed=3), {"mirror": 0.5}, data),
        describe_steps(network, RECIPE, {"mirror": 0.4}, data),
        describe_steps(network, RECIPE, {"mirror": 0.5}, {"codes": np.ones(3, dtype=np.float32)}),
        describe_steps(other, RECIPE, {"mirror": 0.5}, data),
    ]
    assert all(run != runs[0] for run in runs[1:])
    assert describe_steps(network, RECIPE, {"mirror": 0.5}, data) == runs[0]
