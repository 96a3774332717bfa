"""Errors of decoded surfaces against closed forms, and generated expressions against those asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.morphable.builtin import load_face
from models.networks.texface.decoder import DecoderGeometry, DecoderShape, StyleDecoder
from models.networks.texface.denoiser import DenoiserShape, StyleDenoiser
from models.reconstructors.texface_scoring import basis_floor, generation_quality, mean_distance, surface_error
from models.training.style_diffusion import DescribedCodes, fit_style_denoiser
from tests.reconstructors.small_texface import EXPRESSION, IDENTITY, small_texface

CPU = torch.device("cpu")
SIDE = 9


def flat_sheet():
    """A flat sheet facing the camera; the decoder's one identity number tilts it, its other one lifts it."""
    y, x = np.mgrid[20 : -20 : SIDE * 1j, -20 : 20 : SIDE * 1j].astype(np.float32).reshape(2, -1)
    template = np.stack([x, y, 0 * x], axis=1)
    basis = np.zeros((2, SIDE**2, 3), dtype=np.float32)
    basis[0, :, 2], basis[1, :, 2] = x, 1
    corner = np.arange(SIDE**2, dtype=np.int32).reshape(SIDE, SIDE)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    known = DecoderGeometry(
        template, basis[:1], basis[1:], 0.9 * template[:, :2] / 20, np.ones(SIDE**2, np.float32), basis[:1], basis[1:]
    )
    torch.manual_seed(0)
    return StyleDecoder(DecoderShape(1, 1, 8, 4), known), triangles


def blocks(surfaces, size=2):
    return [surfaces[start : start + size] for start in range(0, len(surfaces), size)]


def test_a_tilted_sheet_is_wrong_by_its_slope_and_its_lift():
    decoder, triangles = flat_sheet()
    codes = np.float32([[0.2, 0.0], [-0.1, 0.0], [0.0, 3.0]])
    truth = np.repeat(decoder.template.numpy()[None], 3, axis=0)
    error = surface_error(decoder, triangles, codes, blocks(truth), CPU)
    across = np.abs(truth[0, :, 0]).mean()
    assert_allclose(error.mm, (0.2 * across + 0.1 * across + 3.0) / 3, rtol=1e-5)
    assert_allclose(error.deg, np.degrees(np.arctan([0.2, 0.1, 0.0])).mean(), rtol=1e-4)
    assert_allclose((error.linear_mm, error.linear_deg), (error.mm, error.deg), rtol=1e-5)


def test_what_only_the_detail_gets_right_is_an_error_of_the_linear_part():
    decoder, triangles = flat_sheet()
    with torch.no_grad():
        for layer in decoder.draw.parameters():
            layer.add_(0.5 * torch.randn_like(layer))
    codes = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    with torch.no_grad():
        truth = decoder(torch.from_numpy(codes)).numpy()
        detail = decoder.detail(torch.from_numpy(codes)).numpy()
    error = surface_error(decoder, triangles, codes, blocks(truth), CPU)
    assert error.mm < 1e-4
    assert error.deg < 0.05
    assert_allclose(error.linear_mm, np.linalg.norm(detail, axis=2).mean(), rtol=1e-3)
    assert error.linear_deg > 10 * error.deg


def test_the_distance_of_one_surface_from_many_is_the_mean():
    surface = np.zeros((4, 3), dtype=np.float32)
    truth = np.stack([surface + np.float32([3, 4, 0]), surface + np.float32([0, 0, 1]), surface])
    assert_allclose(mean_distance(surface, blocks(truth)), 2.0, rtol=1e-6)


def test_the_floor_of_the_basis_is_what_lies_across_it():
    face = load_face(10, 5, subdivisions=0)
    rng = np.random.default_rng(0)
    within = np.stack([face.shape(*(rng.normal(size=size).astype(np.float32) for size in (10, 5))) for _ in range(3)])
    assert basis_floor(face, blocks(within)) < 1e-3
    basis = np.concatenate([face.identity_basis, face.expression_basis]).reshape(15, -1).T
    stray = rng.normal(size=len(basis))
    stray -= basis @ np.linalg.lstsq(basis, stray, rcond=None)[0]
    beyond = within + stray.reshape(-1, 3).astype(np.float32)
    assert_allclose(basis_floor(face, blocks(beyond)), np.linalg.norm(stray.reshape(-1, 3), axis=1).mean(), rtol=1e-3)


@pytest.fixture(scope="module")
def prototypes():
    return np.random.default_rng(1).normal(size=(6, EXPRESSION)).astype(np.float32)


def taught(folder: Path, prototypes: np.ndarray, epochs: int) -> StyleDenoiser:
    """A diffusion for which each of the seven expressions looks the same on everybody."""
    rng, kinds = np.random.default_rng(0), np.arange(1120) % 7
    shown = np.concatenate([np.zeros_like(prototypes[:1]), prototypes])[kinds]
    codes = np.concatenate([rng.normal(size=(1120, IDENTITY)).astype(np.float32), shown], axis=1)
    words, importance = np.zeros((1120, 4), dtype=np.int64), np.ones(codes.shape[1], dtype=np.float32)
    torch.manual_seed(0)
    denoiser = StyleDenoiser(DenoiserShape(IDENTITY, EXPRESSION, 8, 48, 1, 2))
    settings = {"batch_size": 56, "learning_rate": 5e-3, "weight_decay": 0.0, "seed": 0, "keep_identity": 1.0}
    faces = DescribedCodes(codes, np.eye(7, dtype=np.float32)[kinds, 1:], words, importance)
    fit_style_denoiser(denoiser, faces, epochs=epochs, checkpoint_dir=folder, on_epoch=str, device=CPU, **settings)
    return denoiser


def test_a_diffusion_that_has_learnt_the_expressions_gives_those_asked_for(tmp_path, prototypes):
    codes = np.random.default_rng(2).normal(size=(6, IDENTITY + EXPRESSION)).astype(np.float32)
    model = small_texface()
    quality = [
        generation_quality(replace(model, denoiser=denoiser), codes, prototypes, np.random.default_rng(0), CPU)
        for denoiser in (model.denoiser, taught(tmp_path, prototypes, 12))
    ]
    assert quality[0].as_asked < 0.5, "one that has learnt nothing guesses among seven"
    assert quality[1].as_asked > 0.9
    assert quality[1].spread_mm < 0.6 * quality[0].spread_mm, "takes of one expression are alike"
    assert [each.faces for each in quality] == [6 * 7 * 2] * 2
