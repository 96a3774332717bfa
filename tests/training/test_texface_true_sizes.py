"""One real step of TEx-Face at the sizes of profile `paper`, on CUDA where there is one."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.losses.inversion import InversionLoss, Views
from models.losses.style_metric import StyleMetric
from models.losses.surface import SurfaceL2
from models.morphable.builtin import load_face
from models.morphable.face_map import largest_piece, map_places
from models.networks.preprocessing import scale_pixels, use_channels_last
from models.networks.texface.decoder import DecoderGeometry, DecoderShape, StyleDecoder
from models.networks.texface.denoiser import Conditions, DenoiserShape, StyleDenoiser
from models.networks.texface.encoder import StyleEncoder
from models.training.device import pick_device
from models.training.recipe import Recipe, build_optimiser
from models.training.style_diffusion import denoising_loss

pytestmark = pytest.mark.slow
DEVICE = pick_device("auto")
IDENTITY, EXPRESSION = 448, 64


def losses_around_a_step(module: nn.Module, loss: Callable[[], Tensor], learning_rate: float) -> tuple[float, float]:
    """Loss before and after one optimiser step; every gradient must be there and finite."""
    optimiser = build_optimiser(module, Recipe(1, 1, learning_rate, 0.0, seed=0))
    before = loss()
    before.backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    optimiser.step()
    with torch.no_grad():
        return before.item(), loss().item()


def test_a_decoder_with_a_256_map_learns_on_the_fine_mesh():
    face = load_face()
    rng = np.random.default_rng(0)
    who, how = (0.1 * rng.normal(size=(count, 2462, 3)).astype(np.float32) for count in (IDENTITY, EXPRESSION))
    skin = largest_piece(face.triangles, len(face.template))
    known = DecoderGeometry(
        face.template, face.identity_basis, face.expression_basis, map_places(face.template), skin, who, how
    )
    torch.manual_seed(0)
    decoder = StyleDecoder(DecoderShape(IDENTITY, EXPRESSION, 256, 256), known).to(DEVICE)
    surface = SurfaceL2(face.template, face.triangles).to(DEVICE)
    codes = torch.randn(2, IDENTITY + EXPRESSION, device=DEVICE)
    target = decoder(codes).detach() + 0.2 * torch.from_numpy(skin).to(DEVICE)[:, None]
    before, after = losses_around_a_step(decoder, lambda: surface(decoder(codes), target), 1e-3)
    assert after < before


def test_a_resnet_50_encoder_learns_at_224_pixels():
    torch.manual_seed(0)
    encoder = use_channels_last(StyleEncoder(50, 1.0, IDENTITY + EXPRESSION)).to(DEVICE)
    signs = np.where(np.arange(IDENTITY + EXPRESSION) % 3 == 0, -1, 1).astype(np.float32)
    loss = InversionLoss(StyleMetric(torch.eye(IDENTITY + EXPRESSION)), IDENTITY, signs, (1.0,) * 6).to(DEVICE)
    photos = torch.randint(0, 256, (1, 3, 224, 224), dtype=torch.uint8, device=DEVICE)
    values = scale_pixels(torch.cat([photos, photos.flip(-1)]))
    numbers = torch.randn(1, IDENTITY + EXPRESSION, device=DEVICE), torch.randn(1, 6, device=DEVICE)
    one = torch.zeros(1, dtype=torch.long, device=DEVICE)
    truth = loss.with_mirror_images(Views(*numbers, one, one))

    def measured() -> Tensor:
        return loss(*encoder.split(encoder(values, truth.poses)), truth)

    before, after = losses_around_a_step(encoder, measured, 2e-5)
    assert after < before


def test_a_denoiser_of_twelve_blocks_learns():
    torch.manual_seed(0)
    shape = DenoiserShape(IDENTITY, EXPRESSION, 32, 512, 12, 8)
    denoiser = StyleDenoiser(shape).to(DEVICE)
    codes = torch.randn(8, IDENTITY + EXPRESSION, device=DEVICE)
    words = torch.randint(0, 3, (8, 4), device=DEVICE)
    importance = torch.rand(IDENTITY + EXPRESSION, device=DEVICE)
    asked = Conditions(torch.rand(8, 6, device=DEVICE), words, torch.arange(8, device=DEVICE) % 2 == 0)

    def loss() -> Tensor:
        return denoising_loss(denoiser, codes, asked, importance, torch.Generator(DEVICE).manual_seed(0))

    before, after = losses_around_a_step(denoiser, loss, 1e-3)
    assert after < before
