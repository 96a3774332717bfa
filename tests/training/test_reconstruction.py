import numpy as np
import pytest
import torch
from torch import nn

from models.errors import ConfigurationError
from models.losses import L2, objectives
from models.networks.expnet import build_expnet
from models.training.augmentation import NoAugmentation, PhotoAugmentation
from models.training.inference import predict_coefficients
from models.training.reconstruction import fit_regressor
from models.training.shards import CoefficientShards

CPU = torch.device("cpu")
SETTINGS = {"epochs": 3, "batch_size": 16, "weight_decay": 0.0, "seed": 1, "device": CPU, "on_epoch": str}


def blobs(folder, count=96, size=24):
    """Photos of a bright spot and, as coefficients, where it is and how wide."""
    rng = np.random.default_rng(0)
    targets = rng.uniform(-1, 1, (count, 3)).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    distance = (x - targets[:, :1, None] / 2) ** 2 + (y - targets[:, 1:2, None] / 2) ** 2
    spots = np.exp(-distance / (0.06 * np.exp(targets[:, 2, None, None] / 2)))
    photos = np.repeat((255 * spots[:, None]).astype(np.uint8), 3, axis=1)
    np.save(folder / "photos.npy", photos)
    return CoefficientShards([folder / "photos.npy"], targets), photos


def test_a_small_regressor_learns_to_read_coefficients_off_photos(tmp_path):
    shards, photos = blobs(tmp_path)
    torch.manual_seed(0)
    network = build_expnet(18, 0.125, 3)
    result = fit_regressor(
        network,
        L2(),
        shards,
        checkpoint_dir=tmp_path / "run",
        augment=NoAugmentation(),
        **{**SETTINGS, "epochs": 10, "learning_rate": 5e-3},
    )
    spread = shards.targets.var()
    assert result.history[-1].loss < 0.35 * spread
    assert all(row.accuracy is None for row in result.history)
    predicted = predict_coefficients(network, photos, batch_size=40, device=CPU)
    assert np.mean((predicted - shards.targets) ** 2) < 0.5 * spread


def test_a_resumed_regression_ends_with_the_weights_of_the_unbroken_one(tmp_path):
    shards, _ = blobs(tmp_path, count=32)

    def fit(folder, **stop):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 3))
        loss = objectives["asymmetric"]()
        fit_regressor(network, loss, shards, checkpoint_dir=tmp_path / folder, learning_rate=1e-3, **SETTINGS, **stop)
        return network.state_dict()

    whole = fit("whole")
    answers = iter([False, False, False, True])
    stopped = fit("part", should_stop=lambda: next(answers))
    resumed = fit("part")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not torch.equal(whole["1.weight"], stopped["1.weight"])


def test_mirrored_photos_are_refused_since_their_coefficients_differ(tmp_path):
    shards, _ = blobs(tmp_path, count=16)
    with pytest.raises(ConfigurationError, match="mirror"):
        fit_regressor(
            nn.Flatten(),
            L2(),
            shards,
            checkpoint_dir=tmp_path,
            learning_rate=0.1,
            augment=PhotoAugmentation(),
            **SETTINGS,
        )
