import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.interpolate import BSpline
from torch.nn import functional

from models.errors import ConfigurationError
from models.networks.texface.decoder import DecoderGeometry, DecoderShape, StyleDecoder
from models.networks.texface.modulation import SplineReader, StyledConvolution, StyledDrawing, cubic_spline, enlarged

SHAPE = DecoderShape(identity=5, expression=3, grid=16, channels=8)


def geometry(vertices=40, bases=(4, 2), seed=0):
    rng = np.random.default_rng(seed)
    identity, expression = (rng.normal(size=(count, vertices, 3)).astype(np.float32) for count in bases)
    who, how = (rng.normal(size=(count, 30, 3)).astype(np.float32) for count in (5, 3))
    places = rng.uniform(-0.9, 0.9, (vertices, 2)).astype(np.float32)
    reach = (np.arange(vertices) % 4 > 0).astype(np.float32)
    return DecoderGeometry(100 * identity[0], identity, expression, places, reach, who, how)


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return StyleDecoder(SHAPE, geometry())


def stirred(decoder):
    """With detail, as after some training."""
    with torch.no_grad():
        for layer in decoder.draw:
            layer.mix.weight.normal_()
    return decoder


def test_before_training_it_is_the_linear_model_nearest_to_the_codes(decoder):
    given, codes = geometry(), torch.randn(2, 8)
    for code, vertices in zip(codes.numpy(), decoder(codes).detach().numpy(), strict=True):
        expected = given.template.copy()
        parts = (
            (given.identity_basis, given.identity_directions, code[:5]),
            (
                given.expression_basis,
                given.expression_directions,
                code[5:],
            ),
        )
        for basis, directions, part in parts:
            wanted = np.tensordot(part, directions, axes=1).ravel()
            best = np.linalg.lstsq(basis[:, :30].reshape(len(basis), -1).T, wanted, rcond=None)[0]
            expected += np.tensordot(best, basis, axes=1).astype(np.float32)
        assert_allclose(vertices, expected, atol=1e-3)


def test_surface_is_the_linear_part_and_the_detail_together(decoder):
    stirred(decoder)
    codes = torch.randn(3, 8)
    alpha, beta = decoder.coefficients(codes)
    linear = decoder.template + torch.einsum("bk,knc->bnc", alpha, decoder.identity_basis)
    linear = linear + torch.einsum("bk,knc->bnc", beta, decoder.expression_basis)
    detail = decoder.detail(codes)
    assert detail.abs().max() > 0.01
    torch.testing.assert_close(decoder(codes), linear + detail, atol=1e-3, rtol=1e-4)


def test_vertices_out_of_reach_have_no_detail(decoder):
    detail = stirred(decoder).detail(torch.randn(2, 8))
    assert not detail[:, decoder.reach == 0].any()
    assert detail[:, decoder.reach == 1].abs().amin(dim=(0, 2)).min() > 0


def test_a_face_does_not_depend_on_the_others_in_its_batch(decoder):
    stirred(decoder)
    codes = torch.randn(4, 8)
    singles = torch.cat([decoder(code[None]) for code in codes])
    torch.testing.assert_close(decoder(codes), singles, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(("grid", "levels"), [(8, [32]), (16, [32, 16]), (64, [32, 16, 8, 8])])
def test_the_map_grows_by_doubling(grid, levels):
    shape = DecoderShape(5, 3, grid, 32)
    assert shape.levels == levels
    assert StyleDecoder(shape, geometry()).detail_map(torch.randn(1, 8)).shape == (1, 3, grid, grid)


@pytest.mark.parametrize("wrong", [{"grid": 48}, {"grid": 4}, {"channels": 3}, {"identity": 0}])
def test_impossible_shapes_are_refused(wrong):
    with pytest.raises(ConfigurationError, match="style decoder"):
        DecoderShape(**{"identity": 5, "expression": 3, "grid": 16, "channels": 8} | wrong)


def test_every_parameter_gets_a_finite_gradient(decoder):
    stirred(decoder)
    decoder(torch.randn(4, 8)).square().mean().backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_gradients_are_those_of_finite_differences(decoder):
    stirred(decoder).double()
    codes = torch.randn(1, 8, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda c: decoder(c)[:, :3], codes, eps=1e-6, atol=1e-4)


def test_a_styled_convolution_is_one_kernel_for_each_sample():
    torch.manual_seed(0)
    layer = StyledConvolution(4, 6, 8)
    torch.nn.init.normal_(layer.convolution.bias)
    features, style = torch.randn(3, 4, 7, 7), torch.randn(3, 8)
    for sample in range(3):
        scale = 1 + (style[sample] @ layer.scale.weight.T + layer.scale.bias).tanh()
        kernel = layer.convolution.weight * scale[None, :, None, None]
        slow = functional.conv2d(features[sample], kernel, layer.convolution.bias, padding=1)
        torch.testing.assert_close(
            layer(features, style)[sample], torch.where(slow > 0, slow, 0.2 * slow), atol=1e-5, rtol=1e-4
        )


def test_a_drawing_is_the_sum_of_its_channels_weighted_by_the_style():
    torch.manual_seed(0)
    layer = StyledDrawing(4, 8)
    features, style = torch.randn(2, 4, 5, 5), torch.randn(2, 8)
    assert not layer(features, style).any(), "it starts by drawing nothing"
    torch.nn.init.normal_(layer.mix.weight)
    weights = 1 + style @ layer.scale.weight.T
    slow = torch.einsum("bchw,bc,oc->bohw", features, weights, layer.mix.weight[:, :, 0, 0])
    torch.testing.assert_close(layer(features, style), slow, atol=1e-5, rtol=1e-4)


def test_a_rare_code_makes_no_explosion(decoder):
    stirred(decoder)
    usual, rare = (decoder.detail(factor * torch.ones(1, 8)).abs().max() for factor in (1.0, 30.0))
    assert rare < 30**2.2 * usual, "the detail grows no faster than the square of the code, whatever the levels"


@settings(max_examples=30)
@given(slope=st.tuples(*[st.floats(-2, 2)] * 3), x=st.floats(-0.7, 0.7), y=st.floats(-0.7, 0.7))
def test_a_sloping_map_is_read_off_exactly(slope, x, y):
    centres = (2 * torch.arange(16) + 1) / 16 - 1
    image = slope[0] * centres[None, :] + slope[1] * centres[:, None] + slope[2]
    found = SplineReader(np.float32([[x, y]]), 16)(image[None, None].float())
    assert_allclose(found.item(), slope[0] * x + slope[1] * y + slope[2], atol=1e-4)


def test_a_read_off_map_has_no_creases():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 16, 16)
    line = np.stack([np.linspace(-0.8, 0.8, 801), np.full(801, 0.1)], axis=1).astype(np.float32)
    slope = torch.diff(SplineReader(line, 16)(image)[0, :, 0]) * 500
    assert torch.diff(slope).abs().max() < 0.05 * slope.abs().max()


@pytest.mark.parametrize("side", [8, 16])
def test_reading_is_the_sum_over_all_cells_of_spline_times_value(side):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 3, side, side)).astype(np.float32)
    places = rng.uniform(-0.6, 0.6, (20, 2)).astype(np.float32)
    column, row = ((places + 1) / 2 * side - 0.5).T
    knots = BSpline.basis_element(np.arange(-2, 3), extrapolate=False)
    shares = [np.nan_to_num(knots(at[:, None] - np.arange(side))) for at in (row, column)]
    slow = np.einsum("bcij,ni,nj->bnc", image, *shares)
    assert_allclose(SplineReader(places, side)(torch.from_numpy(image)), slow, atol=1e-5)


def test_the_shares_of_the_cells_sum_to_one_at_the_border_too():
    places = np.random.default_rng(0).uniform(-1, 1, (200, 2)).astype(np.float32)
    assert_allclose(SplineReader(places, 8)(torch.ones(1, 1, 8, 8)), 1, atol=1e-6)
    assert_allclose(cubic_spline(np.array([0, 1, -1, 2, 5.0])), [2 / 3, 1 / 6, 1 / 6, 0, 0])


def test_enlarging_keeps_a_slope():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    twice = enlarged(ramp)[0, 0, 0]
    assert_allclose(twice[1:-1].numpy(), (np.arange(1, 15) - 0.5) / 2, atol=1e-6)
