import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.autograd import gradcheck

from models.errors import ConfigurationError
from models.morphable.builtin import load_face, load_head
from models.morphable.textured import LinearTexture, load_drawn_face, load_textured_face, with_texture

FACE = load_textured_face(subdivisions=0)


def test_the_space_names_every_truncation_and_differs_from_expnets():
    assert FACE.space == "builtin-1/id80/exp64/tex80"
    assert load_textured_face(80, 64, 20, 0).space != FACE.space
    assert FACE.space != load_face().space
    assert (len(FACE.identity_basis), len(FACE.expression_basis), len(FACE.texture_basis)) == (80, 64, 80)


def test_fewer_components_are_the_leading_ones():
    part = load_textured_face(80, 64, 12, 0)
    assert_allclose(part.texture_basis, FACE.texture_basis[:12])
    assert_allclose(part.texture_mean, FACE.texture_mean)


def test_the_mesh_drawn_in_training_lies_on_the_fine_one_whatever_the_face():
    drawn, fine = load_drawn_face(), load_textured_face()
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=80).astype(np.float32), rng.normal(size=64).astype(np.float32)
    mine, whole = drawn.shape(identity, expression), fine.shape(identity, expression)
    assert_allclose(mine, whole[: len(mine)], atol=1e-4)
    assert_allclose(mine[drawn.landmarks68], whole[fine.landmarks68], atol=1e-4)
    assert (drawn.triangles == FACE.triangles).all()
    assert drawn.space == fine.space
    assert drawn.template.shape == drawn.texture_mean.shape == FACE.template.shape
    assert all(len(values) == len(mine) for values in drawn.masks.values())


def test_albedo_is_the_mean_and_the_weighted_sum_of_components():
    coefficients = np.random.default_rng(0).normal(size=(2, 80)).astype(np.float32)
    found = LinearTexture(FACE)(torch.from_numpy(coefficients)).numpy()
    for row, albedo in zip(coefficients, found, strict=True):
        expected = FACE.texture_mean + sum(c * part for c, part in zip(row, FACE.texture_basis, strict=True))
        assert_allclose(albedo, expected, atol=1e-5)


def test_albedo_has_the_gradient_of_its_finite_difference():
    texture = LinearTexture(load_textured_face(80, 64, 3, 0)).double()
    at = torch.randn(1, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda values: texture(values)[:, ::400], (at,))


@pytest.mark.parametrize(("model", "have"), [(load_face(subdivisions=0), 80), (load_head().head, 0)])
def test_more_texture_than_there_is_says_how_much_there_is(model, have):
    with pytest.raises(ConfigurationError, match=f"has {have} texture components; 81 were asked for"):
        with_texture(model, 81)


def test_a_model_without_texture_cannot_be_coloured():
    with pytest.raises(ConfigurationError, match="no texture"):
        LinearTexture(load_head().head)
