"""Training of classifiers: it learns, goes on after a stop as if there had been none, and varies what it is given."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import ConfigurationError, DataError
from models.networks.classifier import build_coefficient_classifier, build_photo_classifier
from models.networks.preprocessing import BACKGROUND, scale_pixels
from models.training.augmentation import PhotoAugmentation
from models.training.classification import (
    CoefficientInputs,
    PhotoInputs,
    coefficient_logits,
    fit_classifier,
    photo_logits,
)
from models.training.classification_augmentation import CoefficientJitter, PhotoVariation
from models.training.safetensor_files import tensors_digest
from models.training.shards import ByteStack

CPU = torch.device("cpu")
CLASSES = {"shade": 3, "side": 2}
SCHEDULE: dict[str, Any] = {
    "epochs": 16,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "weight_decay": 0.01,
    "label_smoothing": 0.0,
    "seed": 3,
    "device": CPU,
}
AS_THEY_ARE = PhotoAugmentation(
    mirror=0.0, grey=0.0, hole_chance=0.0, brightness=0.0, contrast=0.0, colour=0.0, blur=0.0
)


def vectors(count=320, seed=0):
    """Two tasks: three clouds of which one number tells, and the sign of another number."""
    rng = np.random.default_rng(seed)
    shade, side = rng.integers(3, size=count), rng.integers(2, size=count)
    values = rng.normal(size=(count, 12)).astype(np.float32)
    values[:, 2] += 9 * shade
    values[:, 7] += 14 * side - 7
    return values * 3 + 20, np.stack([shade, side], axis=1).astype(np.int64)


def network_for(values, seed=1):
    torch.manual_seed(seed)
    mean, spread = (torch.from_numpy(each) for each in (values.mean(axis=0), values.std(axis=0)))
    return build_coefficient_classifier(32, 0.5, CLASSES, mean, torch.diag(1 / spread))


def fit(folder: Path, network, values, answers, **more):
    jitter = CoefficientJitter(0.25 * np.eye(values.shape[1]), 0.05)
    inputs = CoefficientInputs(values, jitter)
    return fit_classifier(
        network, inputs, answers, checkpoint_dir=folder, **{**SCHEDULE, "on_epoch": lambda _: None, **more}
    )


def test_both_tasks_are_learnt_and_told_of_unseen_inputs(tmp_path: Path):
    values, answers = vectors()
    network = network_for(values)
    result = fit(tmp_path, network, values, answers)
    assert result.finished
    accuracy = result.history[-1].accuracy
    assert accuracy is not None
    assert accuracy > 0.9
    unseen, truth = vectors(60, seed=9)
    logits = coefficient_logits(network, unseen, CPU)
    for task, each in enumerate(logits):
        assert (each.argmax(axis=1) == truth[:, task]).mean() > 0.9


def test_a_training_that_was_stopped_ends_with_the_same_weights(tmp_path: Path):
    values, answers = vectors()
    unbroken, broken = network_for(values), network_for(values)
    fit(tmp_path / "unbroken", unbroken, values, answers, epochs=3)
    asked = iter(range(100))
    stopped = fit(tmp_path / "broken", broken, values, answers, epochs=3, should_stop=lambda: next(asked) > 30)
    assert not stopped.finished
    assert 0 < len(stopped.history) < 3
    again = network_for(values)
    assert fit(tmp_path / "broken", again, values, answers, epochs=3).finished
    assert tensors_digest(again.state_dict()) == tensors_digest(unbroken.state_dict())


def test_logits_of_many_inputs_do_not_depend_on_how_they_are_cut_into_blocks():
    values, _ = vectors()
    network = network_for(values).eval()
    whole, cut = (coefficient_logits(network, values, CPU, block) for block in (320, 7))
    assert_allclose(whole[0], cut[0], atol=1e-5)


def test_photos_are_learnt_from_their_places_in_a_stack(tmp_path: Path):
    """A bright half, left or right, among photos that are not asked for."""
    rng = np.random.default_rng(0)
    photos = rng.integers(0, 60, (48, 3, 32, 32)).astype(np.uint8)
    places = np.arange(1, 48, 2)
    answers = (np.arange(len(places)) % 2).astype(np.int64)[:, None]
    for place, side in zip(places, answers[:, 0], strict=True):
        photos[place, :, :, 16 * side : 16 * side + 16] += 160
    np.save(tmp_path / "recogniser.npy", photos)
    stack = ByteStack([tmp_path / "recogniser.npy"])
    torch.manual_seed(0)
    network = build_photo_classifier(0.125, {"side": 2})
    inputs = PhotoInputs(stack, places, PhotoVariation(camera=PhotoAugmentation(mirror=0.0)))
    schedule = {**SCHEDULE, "epochs": 10, "batch_size": 8}
    fit_classifier(network, inputs, answers, checkpoint_dir=tmp_path / "run", on_epoch=lambda _: None, **schedule)
    (logits,) = photo_logits(network, stack, places, CPU, block=5)
    assert_array_equal(logits.argmax(axis=1), answers[:, 0])


def test_a_network_too_narrow_to_be_trained_without_corrupting_memory_is_refused(tmp_path: Path):
    """oneDNN writes beyond the gradients of its shortcuts: an abort or a segmentation fault, or wrong numbers."""
    np.save(tmp_path / "photos.npy", np.zeros((4, 3, 32, 32), np.uint8))
    inputs = PhotoInputs(ByteStack([tmp_path / "photos.npy"]), np.arange(4), PhotoVariation(camera=AS_THEY_ARE))
    network = build_photo_classifier(0.0625, {"side": 2})
    answers = np.zeros((4, 1), np.int64)
    with pytest.raises(ConfigurationError, match="a shortcut of 4 channels: choose a width that leaves 8"):
        fit_classifier(network, inputs, answers, checkpoint_dir=tmp_path, on_epoch=lambda _: None, **SCHEDULE)


def test_answers_must_fit_inputs_and_tasks(tmp_path: Path):
    values, answers = vectors()
    with pytest.raises(DataError, match="320 inputs but 319 rows"):
        fit(tmp_path, network_for(values), values, answers[:-1])
    with pytest.raises(ConfigurationError, match="1 columns of answers"):
        fit(tmp_path, network_for(values), values, answers[:, :1])


def test_the_jitter_has_the_covariance_it_is_given_and_keeps_the_mean_face():
    covariance = np.array([[0.0, 0.0, 0.0], [0.0, 0.25, 0.8], [0.0, 0.8, 4.0]])
    noise_alone = CoefficientJitter(covariance, 0.0)
    draw = torch.Generator().manual_seed(0)
    values = torch.tensor([[4.0, -1.0, 3.0]]).expand(20000, 3)
    moved = noise_alone(values, draw).numpy()
    assert_allclose(moved.mean(axis=0), [4, -1, 3], atol=0.05)
    assert_allclose(np.cov(moved.T), covariance, atol=0.1)
    scaled = CoefficientJitter(np.zeros((3, 3)), 0.2)(values, draw)
    ratio = (scaled / values).numpy()
    assert_allclose(ratio, ratio[:, :1].repeat(3, axis=1), rtol=1e-5), "a face is scaled as a whole"
    assert 0.8 <= ratio.min() < 0.81
    assert 1.19 < ratio.max() <= 1.2
    assert not CoefficientJitter(covariance, 0.2)(torch.zeros(1, 3), draw)[:, 0].any()


def test_a_photo_that_is_not_varied_stays_as_it_is_and_turns_about_its_middle():
    photos = torch.zeros((2, 3, 33, 33), dtype=torch.uint8)
    photos[:, :, 16, 16] = 255
    photos[:, :, 16, 30] = 200
    still = PhotoVariation(rotation_deg=0.0, scaling=0.0, camera=AS_THEY_ARE)
    assert_allclose(still(photos, torch.Generator().manual_seed(0)), scale_pixels(photos), atol=1e-4)
    turned = PhotoVariation(rotation_deg=80.0, scaling=0.0, camera=AS_THEY_ARE)
    values = turned(photos, torch.Generator().manual_seed(1))[0, 0] - BACKGROUND
    assert values[16, 16] > 1.9, "the middle stays"
    far = values.clone()
    far[12:21, 12:21] = 0
    row, column = np.unravel_index(int(far.argmax()), (33, 33))
    assert np.hypot(row - 16, column - 16) == pytest.approx(14, abs=1.0), "the other point keeps its distance"
    assert row != 16
