import numpy as np
import pytest
import torch

from models.errors import ArtefactError
from models.morphable.textured import load_drawn_face
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.crop_camera import crop_camera
from models.training.face_synthesis import FaceSynthesis
from models.training.landmark_shards import split_targets
from models.training.mirrored_photos import MirroredPhotos
from models.training.shards import Batch
from models.training.weak_reconstruction import fit_rnet
from tests.training.small_faces import FACE, LAYOUT, PIXELS, pictured, shards, some_outputs
from tests.training.test_weak_reconstruction import SETTINGS, network, supervision

SIDE, BIG = 96, RNetLayout()
DRAWING = FaceSynthesis(load_drawn_face(), crop_camera(SIDE), SIDE)


def mirror(chance=1.0):
    return MirroredPhotos(load_drawn_face(), BIG, SIDE, chance)


def seen(outputs):
    with torch.no_grad():
        return DRAWING.landmarks(DRAWING.vertices(BIG.decode(outputs)))


@pytest.fixture(scope="module")
def targets():
    """Landmarks and labels of faces turned to all sides."""
    outputs = 0.7 * torch.randn(12, BIG.size, generator=torch.Generator().manual_seed(0))
    return torch.cat([seen(outputs).flatten(1), BIG.labelled(outputs)], dim=1)


def test_the_mirrored_label_puts_the_landmarks_where_the_mirror_image_has_them(targets):
    landmarks, labels = split_targets(mirror().turned(targets))
    outputs = torch.zeros(len(labels), BIG.size)
    shape = BIG.identity + BIG.expression
    outputs[:, :shape] = labels[:, :shape]
    outputs[:, shape + BIG.texture :][:, :3] = labels[:, shape : shape + 3]
    outputs[:, -3:] = labels[:, -3:]
    moved = (landmarks - split_targets(targets).landmarks).norm(dim=2).mean()
    assert (seen(outputs) - landmarks).norm(dim=2).mean() < 0.1, "pixels"
    assert moved > 5


def test_a_point_changes_its_side_and_its_name(targets):
    before, after = split_targets(targets).landmarks, split_targets(mirror().turned(targets)).landmarks
    for right, left in ((0, 16), (36, 45), (48, 54), (31, 35), (8, 8), (30, 30)):
        torch.testing.assert_close(after[:, left, 0], SIDE - 1 - before[:, right, 0])
        torch.testing.assert_close(after[:, left, 1], before[:, right, 1])


def test_mirroring_twice_brings_the_landmarks_back_and_unknown_labels_stay_unknown(targets):
    unknown = targets.clone()
    unknown[::2, 136:] = torch.nan
    again = split_targets(mirror().turned(mirror().turned(unknown)))
    torch.testing.assert_close(again.landmarks, split_targets(targets).landmarks)
    assert again.labels[::2].isnan().all()
    assert again.labels[1::2].isfinite().all()
    without = mirror().turned(targets[:, :136])
    torch.testing.assert_close(without, mirror().turned(targets)[:, :136])


def test_photos_are_mirrored_with_their_targets_and_as_often_as_asked(targets):
    images = torch.randint(256, (12, 3, SIDE, SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    exchange, counts = mirror(0.5), []
    for seed in range(40):
        batch = exchange(Batch(images, targets), torch.Generator().manual_seed(seed))
        flipped = (batch.images == images.flip(-1)).flatten(1).all(1)
        assert ((batch.images == images).flatten(1).all(1) ^ flipped).all()
        expected = torch.where(flipped[:, None], exchange.turned(targets), targets)
        torch.testing.assert_close(batch.targets, expected)
        counts.append(int(flipped.sum()))
    assert abs(np.mean(counts) - 6) < 4 * np.sqrt(12 * 0.25 / 40)


def test_a_training_that_mirrors_is_another_run(tmp_path):
    data = shards(tmp_path, pictured(some_outputs(8)), labelled=8)
    numbers = SETTINGS | {"epochs": 1, "batch_size": 4, "checkpoint_dir": tmp_path / "run"}
    often, seldom = (MirroredPhotos(FACE, LAYOUT, PIXELS, chance) for chance in (0.5, 0.1))
    fit_rnet(network(), supervision(), data, **numbers, mirror=often)
    with pytest.raises(ArtefactError, match="another run"):
        fit_rnet(network(), supervision(), data, **numbers, mirror=seldom)
