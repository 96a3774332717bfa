import numpy as np
import torch

from models.networks.preprocessing import BACKGROUND, scale_pixels


def test_every_byte_becomes_its_distance_from_the_middle_over_128():
    values = scale_pixels(torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16))
    np.testing.assert_array_equal(values.numpy().ravel(), (np.arange(256) - 127.5) / 128)
    assert values[0, 0, 0, 0] == BACKGROUND


def test_a_stored_normal_component_comes_back_within_half_a_per_cent():
    component = np.linspace(-1, 1, 1001)
    stored = torch.from_numpy(np.round(127.5 * (component + 1)).astype(np.uint8).reshape(1, 1, 7, 143))
    assert np.abs(scale_pixels(stored).numpy().ravel() - component).max() < 0.5 / 128 + 0.5 / 128


def test_images_are_laid_out_channels_last_and_bytes_are_not_touched():
    images = torch.randint(0, 256, (2, 3, 8, 6), dtype=torch.uint8)
    copy = images.clone()
    assert scale_pixels(images).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, copy)
