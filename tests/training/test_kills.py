"""Real processes killed with SIGKILL; the run that follows must end as if nothing had happened (promises F1 and F2)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from models.losses import LargeMarginCosineHead
from models.networks.sphere20 import Sphere20
from models.training import safetensor_files
from models.training.augmentation import NormalAugmentation
from models.training.recognition import fit_recogniser
from models.training.safetensor_files import load_nested, tensors_digest
from models.training.shards import ImageShards

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parents[2]
LABELS = np.repeat(np.arange(4), 6)


def train(folder: Path, on_epoch=str, should_stop=bool, keep=str) -> str:
    """Four epochs of two steps; the hash of the final weights, which `keep` is given."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, head = Sphere20(1, 0.0625, (32, 32), 16, batch_norm=True), LargeMarginCosineHead(16, 4)
    fit_recogniser(
        network,
        head,
        ImageShards([folder / "images.npy"], LABELS),
        epochs=4,
        batch_size=12,
        learning_rate=2e-3,
        weight_decay=5e-4,
        seed=7,
        checkpoint_dir=folder / "run",
        on_epoch=on_epoch,
        device=torch.device("cpu"),
        augment=NormalAugmentation(),
        should_stop=should_stop,
    )
    weights = {**network.state_dict(), **head.state_dict()}
    keep(weights)
    return tensors_digest(weights)


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_epoch(folder: Path) -> None:
    """In the middle of the third epoch."""
    questions = iter(range(100))
    train(folder, should_stop=lambda: next(questions) == 5 and die())


def die_before_checkpoint(folder: Path) -> None:
    """After the second epoch was reported, before it was stored."""
    train(folder, on_epoch=lambda row: row.epoch == 2 and die())


def die_while_writing(folder: Path) -> None:
    """With half of the next checkpoint on the disk."""
    whole_write = safetensor_files.atomic_write_bytes

    def torn_write(path: Path, data: bytes) -> None:
        if path.is_file():
            path.with_name(".torn.partial").write_bytes(data[: len(data) // 2])
            die()
        whole_write(path, data)

    safetensor_files.atomic_write_bytes = torn_write
    train(folder)


def images_in(folder: Path) -> Path:
    folder.mkdir()
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(24, 1, 32, 32)), (0, 0, 3, 3))
    np.save(folder / "images.npy", np.clip(127 + 40 * noise / noise.std(), 1, 255).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> str:
    return train(images_in(tmp_path_factory.mktemp("whole") / "data"))


@pytest.mark.parametrize("deaths", [("in_epoch",), ("before_checkpoint",), ("while_writing", "in_epoch")])
def test_killed_runs_go_on_and_end_with_the_weights_of_the_unbroken_one(tmp_path, unbroken, deaths):
    folder = images_in(tmp_path / "data")
    for death in deaths:
        command = [sys.executable, __file__, death, str(folder)]
        killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert 1 <= load_nested(folder / "run" / "last.safetensors")["epoch"] + 1 < 4
    rows = []
    assert train(folder, on_epoch=rows.append) == unbroken
    assert len(rows) < 4


if __name__ == "__main__":
    globals()[f"die_{sys.argv[1]}"](Path(sys.argv[2]))
