import numpy as np
import pytest
import torch

from models.export.embedding import embed_normals
from models.export.onnx import export_fused, load_session
from models.networks.fused import FusedBranches
from models.networks.preprocessing import scale_pixels
from models.networks.sphere20 import Sphere20


@pytest.fixture(scope="module")
def module() -> FusedBranches:
    torch.manual_seed(1)
    return FusedBranches(*(Sphere20(1, 0.0625, (32, 32), 16) for _ in range(3))).eval()


@pytest.fixture(scope="module")
def session(module):
    return load_session(export_fused(module).SerializeToString(), threads=1)


def test_the_graph_gives_what_the_network_gives_of_the_same_bytes(module, session):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
    with torch.inference_mode():
        expected = module(*(scale_pixels(torch.tensor(images[:, axis : axis + 1])) for axis in range(3)))
    for ours, theirs in zip(embed_normals(session, images, batch_size=2), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


def test_no_image_gives_no_embedding(session):
    assert [len(axis) for axis in embed_normals(session, np.empty((0, 3, 32, 32), np.uint8))] == [0, 0, 0]
