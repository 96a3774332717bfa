import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from models.networks.preprocessing import BACKGROUND, scale_pixels
from models.training.augmentation import NoAugmentation, NormalAugmentation, PhotoAugmentation, mirror_normals, shift
from models.training.batching import step_generator

CPU = torch.device("cpu")
STILL = {"mirror": 0.0, "shift_px": 0, "hole_chance": 0.0, "noise": 0.0, "blur": 0.0}


def draws(step=0):
    return step_generator(1, 2, step, CPU)


def normal_images(count=6, channels=3):
    images = torch.randint(1, 256, (count, channels, 20, 16), dtype=torch.uint8, generator=draws())
    images[:, :, :3] = 0
    return images


@pytest.mark.parametrize("augment", [NormalAugmentation(mirror=0.5), PhotoAugmentation(), NoAugmentation()])
def test_one_step_always_gives_the_same_values_and_leaves_the_bytes_alone(augment):
    images = normal_images()
    copy = images.clone()
    first, again, other = (augment(images, draws(step), None) for step in (0, 0, 1))
    assert torch.equal(first, again)
    assert torch.equal(images, copy)
    assert torch.equal(first, other) == isinstance(augment, NoAugmentation)
    assert first.is_contiguous(memory_format=torch.channels_last)


def test_turned_off_it_is_plain_scaling():
    images = normal_images()
    torch.testing.assert_close(NormalAugmentation(**STILL)(images, draws(), None), scale_pixels(images))


@pytest.mark.parametrize(("axis", "negated"), [(None, [True, False, False]), (0, [True]), (1, [False]), (2, [False])])
def test_a_mirrored_surface_has_its_x_components_turned_round(axis, negated):
    images = normal_images(channels=len(negated))
    mirrored = mirror_normals(images, torch.ones(len(images), 1, 1, 1, dtype=torch.bool), axis)
    for channel, turned in enumerate(negated):
        there, back = images[:, channel].flip(-1).int(), mirrored[:, channel].int()
        known = there > 0
        assert torch.equal(back > 0, known)
        expected = (255 - there).clamp(min=1) if turned else there
        assert torch.equal(back[known], expected[known])


def test_only_the_images_drawn_are_mirrored():
    images = normal_images(2)
    mirrored = mirror_normals(images, torch.tensor([True, False]).view(2, 1, 1, 1), None)
    assert torch.equal(mirrored[1], images[1])
    assert not torch.equal(mirrored[0], images[0])


def test_a_shift_moves_each_image_as_a_whole_and_lets_background_in():
    images = normal_images(64)
    moved = shift(images, 2, draws())
    found = set()
    for before, after in zip(images.numpy(), moved.numpy(), strict=True):
        padded = np.pad(before, ((0, 0), (2, 2), (2, 2)))
        matches = [
            (dy, dx) for dy in range(5) for dx in range(5) if (padded[:, dy : dy + 20, dx : dx + 16] == after).all()
        ]
        assert len(matches) == 1
        found.add(matches[0])
    assert len(found) > 15


def test_holes_are_background_in_all_channels_and_elsewhere_nothing_changes():
    images = normal_images(200)
    values = NormalAugmentation(**{**STILL, "hole_chance": 0.5, "hole_radius": 0.3})(images, draws(), None)
    same = values == scale_pixels(images)
    hole = (~same).any(1)
    assert (values.permute(0, 2, 3, 1)[hole] == BACKGROUND).all()
    holed = hole.flatten(1).any(1).float().mean().item()
    assert 0.35 < holed < 0.55  # a tiny disc may fall between the pixels or on the background


def test_noise_stays_off_the_background_and_within_its_size():
    images = torch.full((400, 1, 20, 16), 128, dtype=torch.uint8)
    images[:, :, :5] = 0
    change = NormalAugmentation(**{**STILL, "noise": 0.1})(images, draws(), 0) - scale_pixels(images)
    assert (change[:, :, :5] == 0).all()
    deviations = change[:, :, 5:].flatten(1).std(1)
    assert 0.09 < deviations.max() < 0.115
    assert deviations.mean().item() == pytest.approx(0.05, abs=0.005)


def test_blur_never_mixes_background_into_the_face():
    images = torch.full((8, 1, 20, 16), 200, dtype=torch.uint8)
    images[:, :, :5] = 0
    values = NormalAugmentation(**{**STILL, "blur": 1.0})(images, draws(), 1)
    torch.testing.assert_close(values, scale_pixels(images))


def test_photo_values_stay_in_range_and_grey_photos_have_equal_channels():
    photos = normal_images(100)
    values = PhotoAugmentation(grey=0.5, hole_chance=0.0)(photos, draws(), None)
    assert values.abs().max() <= 1
    grey = ((values[:, 0] - values[:, 1]).abs().flatten(1).max(1).values < 1e-6).float().mean().item()
    assert 0.35 < grey < 0.65


def test_photos_are_flipped_as_often_as_asked():
    photos = normal_images(200)
    off = {"grey": 0.0, "hole_chance": 0.0, "brightness": 0.0, "contrast": 0.0, "colour": 0.0, "blur": 0.0}
    values = PhotoAugmentation(mirror=0.5, **off)(photos, draws(), None)
    straight = torch.isclose(values, scale_pixels(photos)).flatten(1).all(1)
    flipped = torch.isclose(values, scale_pixels(photos.flip(-1))).flatten(1).all(1)
    assert torch.equal(straight, ~flipped)
    assert 0.4 < flipped.float().mean() < 0.6


def test_blur_blends_with_the_mean_of_the_neighbours():
    photos = normal_images(5)
    off = {"mirror": 0.0, "grey": 0.0, "hole_chance": 0.0, "brightness": 0.0, "contrast": 0.0, "colour": 0.0}
    sharp = scale_pixels(photos).numpy()
    mean = uniform_filter(sharp, (1, 1, 3, 3), mode="nearest")
    change = PhotoAugmentation(blur=0.8, **off)(photos, draws(), None).numpy() - sharp
    blend = (change * (mean - sharp)).sum((1, 2, 3)) / ((mean - sharp) ** 2).sum((1, 2, 3))
    np.testing.assert_allclose(change, blend[:, None, None, None] * (mean - sharp), atol=1e-5)
    assert (blend >= 0).all()
    assert (blend <= 0.8).all()
    assert blend.max() > 0.1
