from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.errors import ConfigurationError, ScanError
from models.losses.skin_colour import SkinAttention
from models.losses.vertex_weighted import VertexWeightedL2
from models.networks.preprocessing import scale_pixels
from models.reconstructors.crop_camera import crop_camera
from models.rendering.camera import project, rotation_from_angles
from models.training.weak_supervision import LossWeights, WeakSupervision
from tests.training.small_faces import FACE, LAYOUT, PIXELS, SKIN, pictured, some_outputs, synthesis

NOTHING = LossWeights(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
TERMS = tuple(asdict(NOTHING))


def basis():
    both = np.concatenate([FACE.identity_basis, FACE.expression_basis])
    return np.ascontiguousarray(both.reshape(len(both), -1).T)


def embed(photos):
    """Block means: as good as any frozen network to check the wiring."""
    return photos.unflatten(2, (8, 4)).unflatten(4, (8, 4)).mean((3, 5)).flatten(1)


def supervision(**weights):
    supervise = VertexWeightedL2(basis(), np.ones(6, np.float32))
    return WeakSupervision(synthesis(), LAYOUT, SKIN, replace(NOTHING, **weights), embed, supervise)


def example(count=3, seed=0):
    """Photos of known faces, as the loss takes them: network values, and targets with landmarks and labels."""
    truth = pictured(some_outputs(count, seed))
    labels = LAYOUT.labelled(truth.outputs)
    targets = torch.cat([torch.from_numpy(truth.landmarks).flatten(1), labels], dim=1)
    return truth, scale_pixels(torch.from_numpy(truth.photos)), targets


def terms(outputs, values, targets, **weights):
    return supervision(**weights)(outputs, values, targets)


def test_a_photo_explained_perfectly_costs_nothing_but_its_own_unlikeliness():
    truth, values, targets = example()
    found = terms(truth.outputs, values, targets, photometric=1.0, landmarks=1.0, perceptual=1.0, labels=1.0)
    assert found.photometric < 0.005, "rounding to bytes, and what is brighter than white"
    assert found.landmarks < 1e-6
    assert found.perceptual < 1e-5
    assert found.labels < 1e-6


def test_the_photometric_term_is_the_papers_mean_over_covered_skin():
    truth, values, targets = example()
    guess = some_outputs(3, seed=9)
    photos = truth.photos / 255.0
    drawing = synthesis()
    with torch.no_grad():
        face = LAYOUT.decode(guess)
        mine = drawing.picture(drawing.vertices(face), drawing.texture(face.texture), face.light)
        attention = SkinAttention()(torch.from_numpy(photos)).numpy() * mine.covered.numpy()
    distance = np.sqrt(((mine.values.numpy() - photos) ** 2).sum(axis=1))
    expected = np.mean([(a * d).sum() / a.sum() for a, d in zip(attention, distance, strict=True)])
    assert_allclose(terms(guess, values, targets, photometric=1.0).photometric.item(), expected, rtol=1e-3)


def test_the_landmark_term_projects_the_posed_face_through_the_crop_camera():
    truth, values, targets = example()
    guess = some_outputs(3, seed=9)
    weight = np.array([20.0 if 27 <= k < 31 or k >= 60 else 1.0 for k in range(68)])
    losses = []
    for row, wanted in zip(guess.numpy(), truth.landmarks, strict=True):
        face = LAYOUT.unpack(row, FACE.space)
        shape = FACE.shape(face.identity, face.expression)[FACE.landmarks68]
        placed = shape @ rotation_from_angles(*face.pose[:3]).T + face.pose.translation_mm
        gap = (project(placed, crop_camera(PIXELS))[:, :2] - wanted) * 224 / PIXELS
        losses.append(np.mean(weight * (gap**2).sum(axis=1)))
    assert_allclose(terms(guess, values, targets, landmarks=1.0).landmarks.item(), np.mean(losses), rtol=1e-3)


def test_the_label_term_is_the_displacement_of_the_surface_and_the_pose():
    truth, values, targets = example()
    guess = some_outputs(3, seed=9)
    gap = (LAYOUT.labelled(guess) - LAYOUT.labelled(truth.outputs)).numpy()
    moved = (gap[:, :12] @ basis().T).reshape(3, -1, 3)
    expected = np.mean((moved**2).sum(axis=2).mean(axis=1) + (gap[:, 12:] ** 2).sum(axis=1))
    assert_allclose(terms(guess, values, targets, labels=1.0).labels.item(), expected, rtol=1e-4)


def test_a_photo_without_a_label_neither_costs_nor_pulls():
    _, values, targets = example()
    guess = some_outputs(3, seed=9).requires_grad_(True)
    targets[1:, 136:] = torch.nan
    some = terms(guess, values, targets, labels=1.0).labels
    alone = terms(guess[:1], values[:1], targets[:1], labels=1.0).labels
    assert_allclose(some.item(), alone.item() / 3, rtol=1e-5)
    some.backward()
    assert guess.grad[0].any()
    assert not guess.grad[1:].any()
    targets[:, 136:] = torch.nan
    assert terms(guess, values, targets, labels=1.0).labels.item() == 0
    assert terms(guess, values, targets[:, :136], labels=1.0).labels.item() == 0


def test_prior_and_texture_terms_look_at_coefficients_and_skin():
    _, values, targets = example()
    guess = some_outputs(3, seed=9)
    found = terms(guess, values, targets, coefficients=1.0, texture=1.0)
    identity, expression, texture = (part.numpy() for part in LAYOUT.split(guess)[:3])
    squares = (identity**2).sum(1) + 0.8 * (expression**2).sum(1) + 1.7e-3 * (texture**2).sum(1)
    assert_allclose(found.coefficients.item(), squares.mean(), rtol=1e-5)
    albedo = FACE.texture_mean + np.tensordot(texture, FACE.texture_basis, axes=1)
    spread = [np.cov(face.T, aweights=SKIN, ddof=0).trace() for face in albedo]
    assert_allclose(found.texture.item(), np.mean(spread), rtol=1e-4)


def test_the_sum_is_weighted_and_a_term_of_weight_zero_is_left_out():
    _, values, targets = example()
    guess = some_outputs(3, seed=9)
    every = {name: 0.5 + number for number, name in enumerate(TERMS)}
    whole = terms(guess, values, targets, **every)._asdict()
    assert all(whole[name] > 0 for name in TERMS)
    assert_allclose(whole["total"].item(), sum(every[name] * whole[name].item() for name in TERMS), rtol=1e-5)
    for name in TERMS:
        alone = terms(guess, values, targets, **{name: 1.0})._asdict()
        assert_allclose(alone["total"].item(), whole[name].item(), rtol=1e-5)
        assert all(alone[other] == 0 for other in TERMS if other != name)


def test_without_appearance_terms_nothing_is_drawn():
    _, values, targets = example()
    behind = some_outputs(3, seed=9)
    behind[:, -1] += 2 * LAYOUT.usual_distance_mm / LAYOUT.translation_scale_mm
    assert terms(behind, values, targets, landmarks=1.0, coefficients=1.0, texture=1.0).total.isfinite()
    with pytest.raises(ScanError, match="in front"):
        terms(behind, values, targets, photometric=1.0)


@pytest.mark.parametrize("name", TERMS)
def test_the_gradient_of_every_term_is_its_finite_difference(name):
    _, values, targets = example()
    loss = supervision(**{name: 1.0})
    start = some_outputs(3, seed=9)
    # pose, identity and expression move the outline, which has no gradient: judge appearance by colour and light
    moves = torch.zeros(LAYOUT.size)
    moves[12:18] = moves[21:48] = 1.0
    direction = torch.randn(start.shape, generator=torch.Generator().manual_seed(1))
    direction = direction * moves if name in ("photometric", "perceptual") else direction
    leaf = start.clone().requires_grad_(True)
    loss(leaf, values, targets).total.backward()
    with torch.no_grad():
        ends = [loss(start + step * direction, values, targets).total.double() for step in (3e-3, -3e-3)]
    slope = (ends[0] - ends[1]).item() / 6e-3
    assert_allclose((leaf.grad * direction).sum().item(), slope, rtol=0.02)


def test_descending_it_finds_the_face_behind_a_photo_without_any_label():
    truth, values, targets = example(2, seed=4)
    outputs = torch.zeros(2, LAYOUT.size)
    outputs[:, -2] = -0.7
    outputs.requires_grad_(True)
    weights = {"photometric": 1.9, "landmarks": 1.6e-3, "coefficients": 3e-4, "texture": 1.0}
    loss, optimiser = supervision(**weights), torch.optim.Adam([outputs], 0.04)
    first = loss(outputs, values, targets)
    for _ in range(150):
        optimiser.zero_grad()
        loss(outputs, values, targets).total.backward()
        optimiser.step()
    last = loss(outputs, values, targets)
    assert last.photometric < 0.3 * first.photometric
    assert last.landmarks < 0.02 * first.landmarks
    wanted, found = (LAYOUT.decode(values) for values in (truth.outputs, outputs.detach()))
    assert (found.angles_rad - wanted.angles_rad).abs().max() < 0.08
    before = synthesis().shape(0 * wanted.identity, 0 * wanted.expression)
    true, mine = (synthesis().shape(face.identity, face.expression) for face in (wanted, found))
    assert (mine - true).norm(dim=2).mean() < 0.6 * (before - true).norm(dim=2).mean()


@pytest.mark.parametrize("name", ["perceptual", "labels"])
def test_a_term_without_what_it_needs_is_refused(name):
    weights = replace(NOTHING, **{name: 0.2})
    with pytest.raises(ConfigurationError, match=f"{name} loss has weight 0.2"):
        WeakSupervision(synthesis(), LAYOUT, SKIN, weights)


def test_half_precision_around_it_does_not_reach_it():
    _, values, targets = example()
    loss, guess = supervision(photometric=1.0, landmarks=1.0), some_outputs(3, seed=9).bfloat16()
    exact = loss(guess.float(), values, targets).total
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(loss(guess, values, targets).total, exact)


def test_its_printed_form_tells_runs_apart():
    assert str(supervision(photometric=1.0)) != str(supervision(photometric=2.0))
