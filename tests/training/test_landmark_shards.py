import numpy as np
import pytest
import torch

from models.errors import DataError
from models.training.landmark_shards import LandmarkShards, split_targets


@pytest.fixture
def crops(tmp_path):
    np.save(tmp_path / "crops.npy", np.zeros((5, 3, 8, 8), np.uint8))
    return [tmp_path / "crops.npy"]


def test_targets_come_apart_as_they_were_put_together(crops):
    rng = np.random.default_rng(0)
    landmarks, labels = rng.normal(size=(5, 68, 2)).astype(np.float32), rng.normal(size=(5, 9)).astype(np.float32)
    found = split_targets(torch.from_numpy(LandmarkShards(crops, landmarks, labels).targets))
    assert (found.landmarks.numpy() == landmarks).all()
    assert (found.labels.numpy() == labels).all()
    assert split_targets(torch.from_numpy(LandmarkShards(crops, landmarks).targets)).labels.shape == (5, 0)


def test_numbers_that_differ_and_missing_landmarks_are_refused(crops):
    landmarks = np.zeros((5, 68, 2), np.float32)
    with pytest.raises(DataError, match=r"5 images .* 4 targets"):
        LandmarkShards(crops, landmarks[:4])
    with pytest.raises(DataError, match="5 crops with landmarks but 3 labels"):
        LandmarkShards(crops, landmarks, np.zeros((3, 9), np.float32))
    landmarks[3, 7, 1] = np.nan
    with pytest.raises(DataError, match="landmarks of crop 3"):
        LandmarkShards(crops, landmarks)
