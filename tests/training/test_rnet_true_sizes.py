"""One real step at paper B's sizes (3.2), on CUDA where there is one."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.losses.vertex_weighted import VertexWeightedL2
from models.morphable.textured import load_textured_face
from models.networks.cnet import CNet
from models.networks.face_embedding import FrozenEmbedding
from models.networks.preprocessing import scale_pixels, use_channels_last
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.networks.sphere20 import Sphere20
from models.reconstructors.crop_camera import crop_camera
from models.training.device import pick_device
from models.training.face_synthesis import FaceSynthesis
from models.training.photo_analysis import PhotoSets, SinglePhotos
from models.training.recipe import Recipe, build_optimiser
from models.training.weak_supervision import LossWeights, WeakSupervision

pytestmark = pytest.mark.slow
DEVICE = pick_device("auto")
LAYOUT, PIXELS, BATCH = RNetLayout(), 224, 2


@pytest.fixture(scope="module")
def supervision():
    """Every term at once: photo, landmarks, full-width Sphere20, priors, skin, labels."""
    face = load_textured_face()
    both = np.concatenate([face.identity_basis, face.expression_basis])
    supervise = VertexWeightedL2(np.ascontiguousarray(both.reshape(len(both), -1).T), np.ones(6, np.float32))
    torch.manual_seed(0)
    embed = FrozenEmbedding(Sphere20(3, 1.0, (112, 112), 512, batch_norm=True))
    synthesis = FaceSynthesis(face, crop_camera(PIXELS), PIXELS)
    skin = face.masks["skin_photometric"]
    return WeakSupervision(synthesis, LAYOUT, skin, LossWeights(labels=0.05), embed, supervise).to(DEVICE)


@pytest.fixture(scope="module")
def batch():
    """Photos of noise, with the landmarks of the mean face and no shape to be right about but its own."""
    rng = np.random.default_rng(0)
    photos = scale_pixels(torch.from_numpy(rng.integers(0, 256, (BATCH, 3, PIXELS, PIXELS), dtype=np.uint8)).to(DEVICE))
    targets = torch.from_numpy(rng.normal(size=(BATCH, 136 + LAYOUT.label_size)).astype(np.float32))
    targets[:, :136] = 112 + 40 * targets[:, :136].clamp(-2, 2)
    return photos, targets.to(DEVICE)


def one_step(
    network: nn.Module, trained: nn.Module, loss: Callable[[], Tensor], learning_rate: float
) -> tuple[float, float]:
    """Loss before and after; every trained parameter gets a finite gradient that is not all zero."""
    optimiser = build_optimiser(network, Recipe(1, 1, learning_rate, weight_decay=5e-4, seed=0, optimiser="sgd"))
    before = loss()
    before.backward()
    for name, parameter in trained.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
    optimiser.step()
    with torch.no_grad():
        return before.item(), loss().item()


def test_resnet_50_rnet_learns_at_224_pixels_with_all_of_its_losses(supervision, batch):
    torch.manual_seed(0)
    photos, targets = batch
    network = use_channels_last(SinglePhotos(RNetwork(50, 1.0))).to(DEVICE)
    before, after = one_step(
        network, network, lambda: supervision(network(photos).outputs, photos, targets).total, learning_rate=1e-4
    )
    assert after < before


def test_cnet_learns_on_resnet_50_features_of_two_photos_of_a_person(supervision, batch):
    torch.manual_seed(0)
    photos, targets = batch
    rnet = RNetwork(50, 1.0)
    confidence = CNet(rnet.feature_count)
    nn.init.normal_(rnet.head.weight, std=0.02)
    nn.init.normal_(confidence.outer.weight, std=0.02)  # from zero only the last layer would move in the first step
    network = use_channels_last(PhotoSets(rnet, confidence, LAYOUT, BATCH)).to(DEVICE)
    before, after = one_step(
        network, confidence, lambda: supervision(network(photos).outputs, photos, targets).total, learning_rate=1e-2
    )
    assert after < before
