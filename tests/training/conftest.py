"""Small smooth faces-like images, in shards."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from models.training.shards import ImageShards


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Threads that wait for a busy core cost more than these small networks gain; one thread is also reproducible."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def smooth_shards(tmp_path: Path) -> Callable[..., ImageShards]:
    """`make(classes, each, size)`: three-channel images, a smooth pattern a class, varied smoothly; two files."""

    def make(classes: int = 6, each: int = 6, size: int = 32) -> ImageShards:
        rng = np.random.default_rng(0)
        patterns = gaussian_filter(rng.normal(size=(classes, 3, size, size)), (0, 0, 4, 4))
        labels = np.repeat(np.arange(classes), each)
        varied = patterns[labels] / patterns.std()
        varied += 4 * gaussian_filter(rng.normal(size=varied.shape), (0, 0, 2, 2))
        images = np.clip(40 * varied + 127, 1, 255).astype(np.uint8)
        paths = [tmp_path / "shard-0.npy", tmp_path / "shard-1.npy"]
        half = len(images) // 2
        np.save(paths[0], images[:half])
        np.save(paths[1], images[half:])
        return ImageShards(paths, labels)

    return make
