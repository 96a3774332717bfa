"""The three trainings on small problems whose answer is known."""

import numpy as np
import pytest
import torch

from models.errors import ArtefactError, ConfigurationError
from models.losses.inversion import InversionLoss
from models.losses.style_metric import StyleMetric
from models.losses.surface import SurfaceL2
from models.networks.texface.decoder import DecoderGeometry, DecoderShape, StyleDecoder
from models.networks.texface.denoiser import Conditions, DenoiserShape, StyleDenoiser, fixed_numbers, guided
from models.networks.texface.diffusion import sample
from models.networks.texface.encoder import StyleEncoder
from models.training.augmentation import PhotoAugmentation
from models.training.shards import ByteStack
from models.training.style_decoder import CodedFaces, fit_style_decoder
from models.training.style_diffusion import DescribedCodes, denoising_loss, fit_style_denoiser
from models.training.style_encoder import StyledPhotos, fit_style_encoder

CPU = torch.device("cpu")
SETTINGS = {"weight_decay": 0.0, "seed": 1, "device": CPU, "on_epoch": str}
SIDE = 12


def bumpy_sheet():
    """A square sheet, codes, and surfaces with waves that a basis of two slopes cannot make."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32).reshape(2, -1)
    template = np.stack([40 * x, 40 * y, 0 * x], axis=1)
    basis = np.zeros((2, SIDE**2, 3), dtype=np.float32)
    basis[0, :, 2], basis[1, :, 2] = x, y
    waves = np.zeros((2, SIDE**2, 3), dtype=np.float32)
    waves[0, :, 2], waves[1, :, 2] = np.sin(6 * x), np.cos(5 * y)
    directions = basis + waves
    corner = np.arange(SIDE**2, dtype=np.int32).reshape(SIDE, SIDE)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    codes = rng.normal(size=(8, 2)).astype(np.float32)
    truth = template + np.tensordot(codes, directions, axes=1)
    places = 0.9 * np.stack([x, y], axis=1)
    known = DecoderGeometry(
        template, basis[:1], basis[1:], places, np.ones(SIDE**2, np.float32), directions[:1], directions[1:]
    )
    return known, triangles, codes, truth


def fit_sheet(folder, epochs=150, **more):
    known, triangles, codes, truth = bumpy_sheet()
    torch.manual_seed(0)
    decoder = StyleDecoder(DecoderShape(1, 1, 16, 16), known)
    loss = SurfaceL2(known.template, triangles, 10.0)
    # this sheet has no sides: its mirror image is itself
    faces = CodedFaces(codes, np.ones(2, np.float32), lambda rows, _: truth[rows])
    settings = {"epochs": epochs, "batch_size": 8, "learning_rate": 1e-2, "checkpoint_dir": folder} | SETTINGS | more
    return decoder, fit_style_decoder(decoder, loss, faces, **settings)


def test_the_decoder_learns_what_the_linear_basis_cannot_hold(tmp_path):
    decoder, result = fit_sheet(tmp_path)
    _, _, codes, truth = bumpy_sheet()
    found = decoder(torch.from_numpy(codes)).detach().numpy()
    columns = np.concatenate([decoder.identity_basis.numpy(), decoder.expression_basis.numpy()]).reshape(2, -1).T
    beyond = (truth - decoder.template.numpy()).reshape(8, -1).T
    best_linear = columns @ np.linalg.lstsq(columns, beyond, rcond=None)[0]
    floor = np.square(best_linear - beyond).mean()
    assert np.square(found - truth).mean() < 0.05 * floor
    assert result.history[-1].loss < 0.1 * result.history[0].loss


def test_a_resumed_decoder_ends_with_the_weights_of_the_unbroken_one(tmp_path):
    whole = fit_sheet(tmp_path / "whole", epochs=4)[0].state_dict()
    answers = iter([False, False, True])
    stopped, result = fit_sheet(tmp_path / "part", epochs=4, should_stop=lambda: next(answers))
    assert not result.finished
    resumed = fit_sheet(tmp_path / "part", epochs=4)[0].state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not torch.equal(whole["seed.weight"], stopped.state_dict()["seed.weight"])


def test_another_seed_is_another_run_and_does_not_resume(tmp_path):
    fit_sheet(tmp_path, epochs=1)
    with pytest.raises(ArtefactError, match="another run"):
        fit_sheet(tmp_path, epochs=1, seed=2)


def test_turned_faces_come_with_turned_codes(tmp_path):
    known, triangles, codes, _ = bumpy_sheet()
    asked = []

    def surfaces(rows, turned):
        asked.append((rows, turned))
        signs = np.where(turned[:, None], np.float32([1, -1]), np.float32([1, 1]))
        return known.template + np.tensordot(codes[rows] * signs, known.identity_directions[[0, 0]], axes=1)

    decoder = StyleDecoder(DecoderShape(1, 1, 8, 4), known._replace(expression_directions=known.identity_directions))
    faces = CodedFaces(codes, np.float32([1, -1]), surfaces)
    loss = SurfaceL2(known.template, triangles, 0.0)
    settings = {"epochs": 20, "batch_size": 8, "learning_rate": 1e-9, "checkpoint_dir": tmp_path} | SETTINGS
    history = fit_style_decoder(decoder, loss, faces, **settings).history
    turned = np.concatenate([turned for _, turned in asked])
    assert 0.3 < turned.mean() < 0.7
    assert np.ptp([row.loss for row in history]) > 0, "which faces are turned differs from epoch to epoch"


def spots(folder, people=24, each=2, size=32):
    """Photos of a spot: its sideways place is the identity, its height the expression, its size the pose."""
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(people), each)
    codes = np.stack([np.repeat(rng.uniform(-1, 1, people), each), rng.uniform(-1, 1, people * each)], axis=1)
    poses = np.zeros((len(codes), 6))
    poses[:, 5] = rng.uniform(-1, 1, len(codes))
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    distance = (x - codes[:, :1, None] / 2) ** 2 + (y - codes[:, 1:, None] / 2) ** 2
    photos = np.exp(-distance / (0.08 * np.exp(poses[:, 5, None, None] / 2)))
    np.save(folder / "crops.npy", np.repeat((255 * photos[:, None]).astype(np.uint8), 3, axis=1))
    stack = ByteStack([folder / "crops.npy"])
    numbers = (codes.astype(np.float32), poses.astype(np.float32))
    return StyledPhotos(stack, *numbers, subjects.astype(np.int64), np.arange(len(codes), dtype=np.int64))


def fit_spots(folder, photos, epochs=2, **more):
    torch.manual_seed(0)
    encoder = StyleEncoder(18, 0.125, code=2)
    loss = InversionLoss(StyleMetric(torch.eye(2)), 1, np.float32([-1, 1]), (1.0,) * 6)
    settings = {"epochs": epochs, "batch_size": 16, "learning_rate": 3e-3, "checkpoint_dir": folder} | SETTINGS | more
    return encoder, fit_style_encoder(encoder, loss, photos, **settings)


def test_the_encoder_learns_codes_and_pose_from_photos_and_their_mirror_images(tmp_path):
    photos = spots(tmp_path)
    plain = PhotoAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    encoder, result = fit_spots(tmp_path / "run", photos, epochs=12, augment=plain)
    assert result.history[-1].loss < 0.25 * result.history[0].loss
    images = torch.from_numpy(photos.crops.gather(np.arange(48)))
    with torch.no_grad():
        values = (images.float() - 127.5) / 128
        codes = encoder.split(encoder.eval()(values))[0].numpy()
        mirrored = encoder.split(encoder(values.flip(-1)))[0].numpy()
    assert np.square(codes - photos.codes).mean() < 0.5 * photos.codes.var()
    assert np.square(codes - mirrored * [-1, 1]).mean() < 0.3 * photos.codes.var()


def test_a_resumed_encoder_ends_with_the_weights_of_the_unbroken_one(tmp_path):
    photos = spots(tmp_path, people=16)
    whole = fit_spots(tmp_path / "whole", photos)[0].state_dict()
    answers = iter([False, False, True])
    assert not fit_spots(tmp_path / "part", photos, should_stop=lambda: next(answers))[1].finished
    resumed = fit_spots(tmp_path / "part", photos)[0].state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_inversion_refuses_what_does_not_fit(tmp_path):
    photos = spots(tmp_path, people=4)
    with pytest.raises(ConfigurationError, match="mirrored"):
        fit_spots(tmp_path, photos, augment=PhotoAugmentation())
    with pytest.raises(ConfigurationError, match="one row a crop"):
        fit_spots(tmp_path, photos._replace(codes=photos.codes[:-1]))
    with pytest.raises(ConfigurationError, match="one row a crop"):
        fit_spots(tmp_path, photos._replace(codes=photos.codes[:, :1]))


SHAPE = DenoiserShape(identity=4, expression=4, piece=4, width=32, depth=1, heads=2, expressions=2, vocabulary=(2,))


def described(count=512):
    """Codes whose expression part is told by the condition, and the sign of whose first number by the word."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(3, size=count)
    centres = np.float32([[0, 0, 0, 0], [2, 0, -1, 0], [0, -2, 0, 1]])
    codes = rng.normal(size=(count, 8)).astype(np.float32)
    codes[:, 4:] = centres[kinds] + 0.1 * codes[:, 4:]
    words = (1 + (codes[:, :1] > 0)).astype(np.int64)
    return DescribedCodes(codes, np.eye(3, dtype=np.float32)[kinds, 1:], words, np.ones(8, np.float32)), centres


def fit_denoiser(folder, epochs, **more):
    torch.manual_seed(0)
    denoiser = StyleDenoiser(SHAPE)
    settings = {"epochs": epochs, "batch_size": 64, "learning_rate": 5e-3, "checkpoint_dir": folder} | SETTINGS | more
    return denoiser, fit_style_denoiser(denoiser, described()[0], **settings)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return fit_denoiser(tmp_path_factory.mktemp("diffusion"), 80)[0].eval()


def drawn(denoiser, asked, start):
    fixed = fixed_numbers(asked.keeps_identity, SHAPE)
    with torch.inference_mode():
        return sample(lambda codes, times: guided(denoiser, codes, times, asked, 1.0), start, fixed, 20)


def test_the_trained_diffusion_draws_the_expression_that_is_asked_for_and_keeps_the_identity(trained):
    kinds = torch.arange(3).repeat(30)
    expression = torch.eye(3)[kinds, 1:]
    asked = Conditions(expression, torch.zeros(90, 1, dtype=torch.long), torch.ones(90, dtype=torch.bool))
    start = torch.randn(90, 8, generator=torch.Generator().manual_seed(0))
    made = drawn(trained, asked, start)
    assert torch.equal(made[:, :4], start[:, :4])
    centres = torch.from_numpy(described()[1])
    nearest = torch.cdist(made[:, 4:], centres).argmin(1)
    assert (nearest == kinds).float().mean() > 0.9


def test_the_trained_diffusion_draws_people_as_described(trained):
    words = torch.tensor([[1], [2]]).repeat(40, 1)
    asked = Conditions(torch.full((80, 2), torch.nan), words, torch.zeros(80, dtype=torch.bool))
    made = drawn(trained, asked, torch.randn(80, 8, generator=torch.Generator().manual_seed(0)))
    assert ((made[:, 0] > 0) == (words[:, 0] == 2)).float().mean() > 0.85


def test_training_lowers_the_loss_and_repeats_itself_exactly(tmp_path):
    first, history = fit_denoiser(tmp_path / "a", 3)
    second, _ = fit_denoiser(tmp_path / "b", 3)
    assert history.history[-1].loss < history.history[0].loss
    assert all(torch.equal(first.state_dict()[name], second.state_dict()[name]) for name in first.state_dict())


def test_only_numbers_with_noise_count_in_the_loss():
    network, codes, seen = StyleDenoiser(SHAPE), torch.randn(6, 8), []
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    keeps = torch.tensor([True] * 6)
    asked = Conditions(torch.zeros(6, 2), torch.zeros(6, 1, dtype=torch.long), keeps)
    importance = torch.arange(8.0)
    loss = denoising_loss(network, codes, asked, importance, torch.Generator().manual_seed(3))
    assert torch.equal(seen[0][:, :4], codes[:, :4])
    # an untrained network predicts zero: what it misses is the velocity itself, drawn anew from the same generator
    generator = torch.Generator().manual_seed(3)
    times = torch.randint(1000, (6,), generator=generator)
    noise = torch.randn(6, 8, generator=generator)
    angle = ((times + 1) / 1000 + 0.008) / 1.008 * np.pi / 2
    signal = (torch.cos(angle) / np.cos(0.008 / 1.008 * np.pi / 2))[:, None]
    missed = (signal * noise - (1 - signal**2).sqrt() * codes)[:, 4:].square().mean(0)
    slow = (missed * importance[4:]).sum() / (4 + 5 + 6 + 7)
    torch.testing.assert_close(loss, slow, rtol=1e-4, atol=1e-5)


def test_codes_of_another_length_are_refused(tmp_path):
    faces = described()[0]
    with pytest.raises(ConfigurationError, match="7 numbers"):
        fit_style_denoiser(
            StyleDenoiser(SHAPE),
            faces._replace(codes=faces.codes[:, :7]),
            epochs=1,
            batch_size=8,
            learning_rate=1e-3,
            checkpoint_dir=tmp_path,
            **SETTINGS,
        )
