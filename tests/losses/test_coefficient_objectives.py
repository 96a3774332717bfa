import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.losses import L2, AsymmetricEuclidean, VertexWeightedL2, objectives


def pair(seed=0, shape=(5, 6)):
    rng = np.random.default_rng(seed)
    return (torch.from_numpy(rng.normal(size=shape).astype(np.float32)) for _ in range(2))


def test_l2_is_the_mean_square():
    predicted, target = pair()
    expected = np.mean((predicted.numpy() - target.numpy()) ** 2)
    assert_allclose(L2()(predicted, target).item(), expected, rtol=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 5), st.floats(0.1, 5))
def test_the_asymmetric_loss_is_the_papers_two_terms(seed, over, under):
    predicted, target = (values.numpy().astype(np.float64) for values in pair(seed))
    size = np.abs(target)
    turned = np.sign(target) * predicted
    largest = np.maximum(size, turned)
    expected = np.mean(over * (size - largest) ** 2 + under * (turned - largest) ** 2)
    found = AsymmetricEuclidean(over, under)(*(torch.from_numpy(v) for v in (predicted, target)))
    assert_allclose(found.item(), expected, rtol=1e-6)


def test_falling_short_costs_three_times_overshooting():
    loss, target = AsymmetricEuclidean(), torch.tensor([[2.0, -2.0]])
    short, beyond = loss(torch.tensor([[1.0, -1.0]]), target), loss(torch.tensor([[3.0, -3.0]]), target)
    assert (short.item(), beyond.item()) == (3.0, 1.0)


def test_a_target_of_zero_still_pulls():
    predicted = torch.tensor([[0.5, -0.5]], requires_grad=True)
    AsymmetricEuclidean()(predicted, torch.zeros(1, 2)).backward()
    assert predicted.grad is not None
    assert predicted.grad.tolist() == [[0.5, -0.5]]


def test_vertex_weighting_equals_the_mean_squared_displacement_of_the_mesh_also_of_a_skew_basis():
    rng = np.random.default_rng(2)
    basis = rng.normal(size=(3 * 40, 6)).astype(np.float32)
    predicted, target = pair(3)
    moved = (predicted.numpy() - target.numpy()) @ basis.T
    expected = np.mean(np.sum(moved.reshape(5, 40, 3) ** 2, axis=2))
    assert_allclose(VertexWeightedL2(basis)(predicted, target).item(), expected, rtol=1e-5)


def test_numbers_beyond_the_basis_are_weighted_one_by_one():
    basis = np.zeros((9, 4), np.float32)
    predicted, target = pair(4)
    loss = VertexWeightedL2(basis, np.float32([2, 10]))(predicted, target)
    squares = (predicted - target).square().mean(0)
    assert_allclose(loss.item(), 2 * squares[4] + 10 * squares[5], rtol=1e-5)


@pytest.mark.parametrize("name", ["l2", "asymmetric", "vertex_weighted_l2"])
def test_gradients_agree_with_finite_differences(name):
    arguments = {"basis": np.random.default_rng(5).normal(size=(9, 6)).astype(np.float32)}
    loss = objectives[name](**(arguments if name == "vertex_weighted_l2" else {}))
    predicted, target = pair(6)
    predicted.requires_grad_(True)
    loss(predicted, target).backward()
    step = 1e-2
    moved = torch.zeros_like(predicted)
    moved[1, 2] = step
    with torch.no_grad():
        slope = (loss(predicted + moved, target) - loss(predicted - moved, target)) / (2 * step)
    assert_allclose(predicted.grad[1, 2].item(), slope.item(), rtol=2e-2)


def test_every_objective_is_in_the_catalogue():
    assert list(objectives) == ["asymmetric", "l2", "vertex_weighted_l2"]
