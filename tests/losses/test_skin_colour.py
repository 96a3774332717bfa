import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from models.losses.skin_colour import BIN, OTHER, SKIN, SkinAttention, skin_probability


def slow_probability(colour, prior):
    def density(mixture):
        return sum(row[6] * multivariate_normal.pdf(colour, row[:3], np.diag(row[3:6])) for row in mixture)

    skin, other = density(SKIN), density(OTHER)
    return prior * skin / (prior * skin + (1 - prior) * other)


@pytest.mark.parametrize("prior", [0.1, 0.5, 0.8])
def test_it_is_bayes_rule_over_two_mixtures_of_gaussians(prior):
    colours = np.random.default_rng(0).uniform(0, 255, (200, 3))
    expected = [slow_probability(colour, prior) for colour in colours]
    assert_allclose(skin_probability(colours, prior), expected, atol=1e-8)


def test_the_tables_hold_two_mixtures_of_sixteen():
    for mixture in (SKIN, OTHER):
        assert mixture.shape == (16, 7)
        assert (mixture[:, :3] <= 255).all()
        assert (mixture[:, 3:] > 0).all()
        assert_allclose(mixture[:, 6].sum(), 1, atol=2e-3)


def test_skin_of_several_tones_is_skin_and_other_things_are_not():
    skin = [(224, 172, 140), (198, 134, 100), (141, 85, 60), (95, 52, 36), (241, 194, 160)]
    other = [(20, 60, 200), (30, 160, 40), (255, 255, 255), (5, 5, 8), (90, 120, 150), (130, 130, 128)]
    assert (skin_probability(np.array(skin, dtype=float)) > 0.8).all()
    assert (skin_probability(np.array(other, dtype=float)) < 0.5).all()


def test_attention_is_one_for_likely_skin_and_the_probability_elsewhere():
    # colours at the middle of a bin, between bytes, where the table is exact
    corners = np.random.default_rng(1).integers(0, 256 // BIN, (20, 20, 3)) * BIN
    middles = corners + (BIN - 1) / 2
    probability = skin_probability(middles.reshape(-1, 3)).reshape(20, 20)
    expected = np.where(probability > 0.5, 1, probability)
    assert (expected == 1).any()
    assert (expected < 0.5).any()
    for offset in range(BIN):
        photo = torch.tensor((corners + offset) / 255).permute(2, 0, 1)[None]
        assert_allclose(SkinAttention()(photo)[0].numpy(), expected, atol=1e-6)


def test_values_a_little_beyond_black_and_white_are_taken_as_those():
    photos = torch.tensor([-0.01, 0.0, 1.0, 1.02])[:, None, None, None].expand(4, 3, 2, 2)
    black, same, white, also = SkinAttention()(photos)
    assert torch.equal(black, same)
    assert torch.equal(white, also)
