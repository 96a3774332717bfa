import pytest
import torch
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.networks.texface.denoiser import Conditions, DenoiserShape, StyleDenoiser, fixed_numbers, guided

SHAPE = DenoiserShape(identity=8, expression=4, piece=4, width=16, depth=2, heads=2)
TIMES = torch.tensor([3, 500, 990])


@pytest.fixture
def denoiser():
    torch.manual_seed(0)
    network = StyleDenoiser(SHAPE)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network.eval()


def some(keeps=(False, False, False)):
    expression = torch.zeros(3, 6)
    expression[0, 3], expression[1, 5], expression[2] = 1.0, 0.5, torch.nan
    words = torch.tensor([[1, 2, 3, 4], [2, 0, 0, 1], [0, 0, 0, 0]])
    return Conditions(expression, words, torch.tensor(keeps))


CODES = torch.randn(3, 12, generator=torch.Generator().manual_seed(1))


def test_it_starts_by_predicting_zero():
    assert not StyleDenoiser(SHAPE)(CODES, TIMES, some()).any()


def test_a_row_depends_on_its_own_code_time_and_conditions_only(denoiser):
    whole = denoiser(CODES, TIMES, some((True, False, True)))
    for row in range(3):
        only = torch.tensor([row])
        alone = denoiser(CODES[only], TIMES[only], some((True, False, True)).rows(only, torch.device("cpu")))
        torch.testing.assert_close(whole[only], alone, atol=1e-5, rtol=1e-4)


def changed(denoiser, asked):
    plain = denoiser(CODES, TIMES, some())
    return (denoiser(CODES, TIMES, asked) - plain).abs().amax(dim=1)


def test_it_heeds_expression_words_and_time(denoiser):
    other = some().expression.clone()
    other[0, 3], other[1, 5] = 0.5, 0.0
    assert (changed(denoiser, some()._replace(expression=other))[:2] > 1e-3).all()
    words = some().words.clone()
    words[0, 0] = 2
    assert changed(denoiser, some()._replace(words=words))[0] > 1e-3
    later = denoiser(CODES, TIMES - 2, some())
    assert ((later - denoiser(CODES, TIMES, some())).abs().amax(dim=1) > 1e-4).all()


def test_neutral_is_another_thing_than_any_expression(denoiser):
    silent = some().expression.clone()
    silent[2] = 0.0
    assert changed(denoiser, some()._replace(expression=silent))[2] > 1e-3


def test_forgotten_conditions_do_not_matter(denoiser):
    words = some().words.flip(0)
    forgotten = denoiser(CODES, TIMES, some().forgotten())
    assert torch.equal(forgotten, denoiser(CODES, TIMES, some()._replace(words=words).forgotten()))
    torch.testing.assert_close(forgotten[2], denoiser(CODES, TIMES, some())[2])


def test_a_kept_identity_has_no_velocity_and_steers_the_expression(denoiser):
    kept = denoiser(CODES, TIMES, some((True, True, True)))
    assert not kept[:, :8].any()
    assert (kept[:, 8:] - denoiser(CODES, TIMES, some())[:, 8:]).abs().max() > 1e-3
    other = CODES.clone()
    other[:, :8] += 1
    assert (kept[:, 8:] - denoiser(other, TIMES, some((True, True, True)))[:, 8:]).abs().max() > 1e-3


def test_the_fixed_numbers_are_the_kept_identities():
    fixed = fixed_numbers(torch.tensor([True, False]), SHAPE)
    assert fixed.tolist() == [[True] * 8 + [False] * 4, [False] * 12]


def test_guidance_walks_from_the_free_prediction_through_the_heeding_one(denoiser):
    heeding, free = denoiser(CODES, TIMES, some()), denoiser(CODES, TIMES, some().forgotten())
    assert torch.equal(guided(denoiser, CODES, TIMES, some(), 1.0), heeding)
    for strength in (0.0, 0.5, 3.0):
        found = guided(denoiser, CODES, TIMES, some(), strength)
        torch.testing.assert_close(found, (1 - strength) * free + strength * heeding, atol=1e-5, rtol=1e-4)


def test_conditions_are_left_out_as_often_as_asked():
    count, chance = 20_000, 0.2
    asked = Conditions(torch.zeros(count, 6), torch.ones(count, 4, dtype=torch.long), torch.ones(count).bool())
    left = asked.dropped(chance, torch.Generator().manual_seed(0))
    lost_once_or_all = 1 - (1 - chance) ** 2
    assert_allclose(left.expression.isnan().all(1).float().mean(), lost_once_or_all, atol=0.01)
    assert_allclose((left.words == 0).float().mean(0), lost_once_or_all, atol=0.01)
    nothing = left.expression.isnan().all(1) & (left.words == 0).all(1)
    assert_allclose(nothing.float().mean(), chance + (1 - chance) * chance**5, atol=0.01)
    assert torch.equal(left.keeps_identity, asked.keeps_identity)
    again = asked.dropped(chance, torch.Generator().manual_seed(0))
    assert torch.equal(left.words, again.words)


@pytest.mark.parametrize("wrong", [{"piece": 3}, {"expression": 6}, {"heads": 3}])
def test_impossible_shapes_are_refused(wrong):
    with pytest.raises(ConfigurationError, match="style denoiser"):
        DenoiserShape(**{"identity": 8, "expression": 4, "piece": 4, "width": 16, "heads": 2} | wrong)


def test_every_parameter_gets_a_finite_gradient(denoiser):
    denoiser(CODES, TIMES, some((True, False, False))).square().sum().backward()
    for name, parameter in denoiser.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
