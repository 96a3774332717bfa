"""From crops to surfaces, to the store and back; new expressions and new people."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import ArtefactError, AssetMissing, ConfigurationError
from models.faceworld.studio import open_studio
from models.faceworld.true_faces import TrueFaces, draw_faces
from models.losses.surface import SurfaceL2
from models.morphable.builtin import load_face
from models.morphable.descriptions import draw_intensities, read_words
from models.morphable.mirror import mirror_partners
from models.morphable.style_space import fit_style_space
from models.networks.texface.decoder import DecoderShape
from models.networks.texface.denoiser import DenoiserShape, StyleDenoiser
from models.reconstructors.crops import CropModel
from models.reconstructors.protocol import Reconstruction, from_crop
from models.reconstructors.texface import TexFace
from models.reconstructors.texface_generation import Sampling, generate_expressions, generate_people
from models.reconstructors.texface_stored import (
    EncoderShape,
    build_decoder,
    build_encoder,
    load_texface,
    open_texface,
    save_texface,
)
from models.training.style_decoder import CodedFaces, fit_style_decoder
from models.types import Coefficients

CPU = torch.device("cpu")
FACE = load_face()
COARSE = len(load_face(subdivisions=0).template)
ENCODER = EncoderShape(18, 0.125, 8)
QUICK = Sampling(steps=4, guidance=1.5)
CROPS = np.random.default_rng(0).integers(0, 256, (5, 3, 48, 48), dtype=np.uint8)


def style_of(surfaces, identity, expression):
    seen = (surfaces.neutral[:, :COARSE], surfaces.expressive[:, :COARSE])
    partners = mirror_partners(FACE.template)[:COARSE]
    return fit_style_space(FACE.template[:COARSE], partners, *seen, identity, expression)


@pytest.fixture(scope="module")
def space_and_faces():
    """A style space of 16 + 8 numbers, and the faces it was made from."""
    drawn = draw_faces(open_studio(), "reconstruction", 0, 0, 30, 1)
    surfaces = TrueFaces(0.2).surfaces(drawn.identity, drawn.expression, drawn.relief_seeds)
    return style_of(surfaces, 16, 8), surfaces


@pytest.fixture(scope="module")
def model(space_and_faces):
    """Not trained, but with detail and generation of its own."""
    torch.manual_seed(0)
    style = space_and_faces[0]
    decoder = build_decoder(DecoderShape(16, 8, 16, 8), style, FACE)
    denoiser = StyleDenoiser(DenoiserShape(16, 8, 8, 16, 1, 2))
    encoder = build_encoder(ENCODER, 24)
    with torch.no_grad():
        for parameter in [*decoder.draw.parameters(), *denoiser.parameters(), *encoder.code_head.parameters()]:
            parameter.add_(0.2 * torch.randn_like(parameter))
    return TexFace(encoder, decoder, denoiser, style, FACE, 48)


def test_it_is_a_model_of_crops(model):
    assert isinstance(model, CropModel)
    found = model.faces(CROPS, CPU)
    assert found.vertices.shape == (5, *FACE.template.shape)
    assert_array_equal(model.triangles, FACE.triangles)
    for each in found.coefficients:
        assert (each.space, each.identity.shape, each.expression.shape) == (model.space, (16,), (8,))
        assert each.pose is not None
        assert -1100 < each.pose.translation_mm[2] < -950, "an untrained encoder says the usual distance"


def test_the_batch_size_does_not_matter(model):
    whole, parts = model.coefficients(CROPS, CPU), model.coefficients(CROPS, CPU, batch_size=2)
    for one, other in zip(whole, parts, strict=True):
        assert_allclose(one.identity, other.identity, atol=1e-5)


def test_a_mirrored_photo_gives_the_mirrored_face_exactly(model):
    plain = model.coefficients(CROPS, CPU)
    other = model.coefficients(np.ascontiguousarray(CROPS[..., ::-1]), CPU)
    for one, two in zip(plain, other, strict=True):
        assert_allclose(two.identity, one.identity * model.style.identity.signs, atol=1e-5)
        assert_allclose(two.expression, one.expression * model.style.expression.signs, atol=1e-5)
        assert_allclose(two.pose[:3], np.array(one.pose[:3]) * [1, -1, -1], atol=1e-4)


def test_the_surface_is_the_linear_face_and_the_detail(model):
    found = model.coefficients(CROPS, CPU)
    detail = model.decoder.detail(torch.from_numpy(model.codes(found))).detach().numpy()
    assert np.abs(detail).max() > 0.01
    surfaces = zip(model.linear(found, CPU), model.vertices(found, CPU), detail, strict=True)
    for linear, vertices, more in surfaces:
        assert linear.space == FACE.space
        assert_allclose(vertices, FACE.shape(linear.identity, linear.expression) + more, atol=1e-3)


def test_codes_of_true_faces_decode_to_about_these_faces(space_and_faces, model):
    style, surfaces = space_and_faces
    codes = style.codes(surfaces.neutral, surfaces.expressive)
    plain = build_decoder(model.decoder.shape, style, FACE)
    decoded = plain(torch.from_numpy(codes)).detach().numpy()
    error = np.linalg.norm(decoded - surfaces.expressive, axis=2).mean()
    assert error < 0.4 * np.linalg.norm(FACE.template - surfaces.expressive, axis=2).mean()


@pytest.mark.slow
def test_a_trained_decoder_comes_nearer_to_faces_with_relief_than_the_linear_basis_can(space_and_faces, tmp_path):
    surfaces = space_and_faces[1]
    style = style_of(surfaces, 48, 24)
    codes, truth = style.codes(surfaces.neutral, surfaces.expressive)[:4], surfaces.expressive[:4]
    basis = np.concatenate([FACE.identity_basis, FACE.expression_basis]).reshape(128, -1).T
    wanted = (truth - FACE.template).reshape(4, -1).T
    best = (basis @ np.linalg.lstsq(basis, wanted, rcond=None)[0]).T.reshape(truth.shape) + FACE.template

    torch.manual_seed(0)
    decoder = build_decoder(DecoderShape(48, 24, 64, 32), style, FACE)
    surface = SurfaceL2(FACE.template, FACE.triangles, 100.0)
    settings = {"batch_size": 4, "learning_rate": 2e-2, "weight_decay": 0.0, "seed": 0, "device": CPU, "on_epoch": str}
    faces = CodedFaces(codes, style.signs, lambda rows, _: truth[rows])
    fit_style_decoder(decoder, surface, faces, epochs=120, mirror=0.0, checkpoint_dir=tmp_path, **settings)
    decoded = decoder(torch.from_numpy(codes)).detach()
    truth_normals = surface.normals(torch.from_numpy(truth))

    def turned(vertices: torch.Tensor) -> float:
        return float((surface.normals(vertices) - truth_normals).square().sum(2).mean())

    assert np.square(decoded.numpy() - truth).mean() < 0.75 * np.square(best - truth).mean()
    assert turned(decoded) < 0.75 * turned(torch.from_numpy(best.astype(np.float32)))


def test_codes_of_another_decoder_are_refused(space_and_faces, model):
    other = replace(model, decoder=build_decoder(model.decoder.shape, space_and_faces[0], FACE))
    assert other.space != model.space
    with pytest.raises(ConfigurationError, match="never mix"):
        list(model.vertices(other.coefficients(CROPS, CPU), CPU))


def test_behind_the_protocol_every_photo_has_its_outcome(model, tmp_path):
    save_texface(tmp_path, model, ENCODER)
    reconstructor = open_texface(tmp_path)
    assert reconstructor.space == model.space
    outcomes = list(reconstructor.reconstruct((from_crop(crop, f"{n}.png") for n, crop in enumerate(CROPS)), CPU, 2))
    assert [outcome.path for outcome in outcomes] == [f"{n}.png" for n in range(5)]
    assert all(isinstance(outcome, Reconstruction) for outcome in outcomes)


def test_what_is_stored_comes_back_the_same(model, tmp_path):
    save_texface(tmp_path, model, ENCODER)
    again = load_texface(tmp_path)
    assert (again.space, again.crop_px) == (model.space, 48)
    assert_allclose(again.faces(CROPS, CPU).vertices, model.faces(CROPS, CPU).vertices, atol=1e-4)
    given = model.coefficients(CROPS[:2], CPU)
    asked = draw_intensities(np.random.default_rng(0), 4).reshape(2, 2, 6)
    drawn = [generate_expressions(each, given, asked, noise(), CPU, QUICK) for each in (model, again)]
    assert_array_equal(drawn[0][1][1].expression, drawn[1][1][1].expression)


def test_without_its_diffusion_it_reconstructs_but_does_not_generate(model, tmp_path):
    save_texface(tmp_path, replace(model, denoiser=None), ENCODER)
    again = load_texface(tmp_path)
    found = again.coefficients(CROPS, CPU)
    with pytest.raises(AssetMissing, match="train it with the denoiser"):
        generate_expressions(again, found, np.zeros((5, 1, 6), np.float32), noise(), CPU)


@pytest.mark.parametrize("lost", ["decoder.json", "style.safetensors", "encoder.json", "decoder.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused(model, tmp_path, lost):
    save_texface(tmp_path, model, ENCODER)
    (tmp_path / lost).unlink()
    with pytest.raises(ArtefactError, match=r"train|again"):
        load_texface(tmp_path)


def test_one_that_is_not_trained_names_the_command():
    with pytest.raises(AssetMissing, match="trinormal train-reconstructor texface"):
        open_texface(None)


def noise(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_generated_expressions_keep_the_identity_to_the_last_bit(model):
    given = model.coefficients(CROPS, CPU)
    asked = draw_intensities(np.random.default_rng(0), 15).reshape(5, 3, 6)
    made = generate_expressions(model, given, asked, noise(), CPU, QUICK)
    assert [len(rows) for rows in made] == [3] * 5

    def neutral(each: Coefficients) -> Coefficients:
        return replace(each, expression=np.zeros_like(each.expression))

    for source, rows in zip(given, made, strict=True):
        still = next(model.vertices([neutral(source)], CPU))
        moved = [next(model.vertices([neutral(row)], CPU)) for row in rows]
        assert max(np.abs(each - still).max() for each in moved) == 0.0
        assert len({row.expression.tobytes() for row in rows}) == 3
        assert all(row.pose == source.pose and row.space == source.space for row in rows)
    surfaces = list(model.vertices([made[0][0], made[0][1]], CPU))
    assert np.linalg.norm(surfaces[0] - surfaces[1], axis=1).mean() > 0.1


def test_generation_repeats_itself_with_the_same_generator_only(model):
    given = model.coefficients(CROPS[:2], CPU)
    asked = np.tile(draw_intensities(np.random.default_rng(3), 2)[:, None], (1, 2, 1))
    first, second, other = (
        generate_expressions(model, given, asked, noise(seed), CPU, QUICK)[1][1].expression for seed in (1, 1, 2)
    )
    assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-3


def test_the_condition_and_the_guidance_matter(model):
    given = model.coefficients(CROPS[:1], CPU)
    happy, sad = np.zeros((2, 1, 1, 6), dtype=np.float32)
    happy[..., 3] = sad[..., 4] = 1.0

    def drawn(asked: np.ndarray, guidance: float) -> np.ndarray:
        return generate_expressions(model, given, asked, noise(), CPU, Sampling(4, guidance))[0][0].expression

    assert np.abs(drawn(happy, 1.0) - drawn(sad, 1.0)).max() > 1e-4
    assert np.abs(drawn(happy, 1.0) - drawn(happy, 3.0)).max() > 1e-4


def test_people_are_generated_by_description(model):
    words = np.stack([read_words("old woman"), read_words("young man heavy"), read_words("")])
    intensities = np.zeros((3, 6), dtype=np.float32)
    intensities[2] = np.nan
    made = generate_people(model, words, intensities, noise(), CPU, QUICK)
    assert all(np.isfinite(each.identity).all() and np.isfinite(each.expression).all() for each in made)
    assert all(np.isfinite(vertices).all() for vertices in model.vertices(made, CPU))
    alone = generate_people(model, words[:1], intensities[:1], noise(), CPU, QUICK)
    assert_allclose(alone[0].identity, made[0].identity, atol=1e-5)
