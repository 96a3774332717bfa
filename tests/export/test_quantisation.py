"""The branches in 8-bit integers: the same interface, a quarter of the bytes, nearly the same embeddings."""

import numpy as np
import onnx
import pytest
import torch
from jaxtyping import UInt8
from numpy import ndarray
from onnx import ModelProto, numpy_helper

from models.export.embedding import embed_normals
from models.export.onnx import INPUTS, OUTPUTS, export_fused, load_session
from models.export.quantisation import quantise
from models.export.throughput import images_per_second
from models.networks.fused import FusedBranches
from models.networks.sphere20 import Sphere20


def smooth_images(count: int) -> UInt8[ndarray, "n 3 h w"]:
    """Waves of different directions: smooth, as normal images are."""
    draw = np.random.default_rng(3)
    rows, columns = np.mgrid[0:32, 0:24] / 24.0
    angles, shifts = draw.uniform(0, 7, (2, count, 3, 1, 1))
    waves = np.sin(6 * (np.cos(angles) * rows + np.sin(angles) * columns) + shifts)
    return np.uint8(np.round(127.5 * (waves + 1)))


@pytest.fixture(scope="module")
def proto() -> ModelProto:
    torch.manual_seed(0)
    branches = [Sphere20(1, 0.125, (32, 24), 32, batch_norm=True) for _ in range(3)]
    for branch in branches:
        branch(torch.randn(32, 1, 32, 24))
    return export_fused(FusedBranches(*branches))


@pytest.fixture(scope="module")
def int8(proto: ModelProto) -> ModelProto:
    return quantise(proto, smooth_images(32))


def test_the_interface_stays(proto: ModelProto, int8: ModelProto):
    assert tuple(value.name for value in int8.graph.input) == INPUTS
    assert tuple(value.name for value in int8.graph.output) == OUTPUTS
    assert {entry.domain for entry in int8.opset_import} == {entry.domain for entry in proto.opset_import}


def test_weights_are_seven_bits_and_the_file_is_less_than_half(proto: ModelProto, int8: ModelProto):
    weights = [
        numpy_helper.to_array(each) for each in int8.graph.initializer if each.data_type == onnx.TensorProto.INT8
    ]
    kernels = [each for each in weights if each.ndim > 1]
    assert len(kernels) == 3 * (20 + 1)
    assert max(int(np.abs(each.astype(int)).max()) for each in kernels) in (63, 64)
    assert len(int8.SerializeToString()) < len(proto.SerializeToString()) / 2


def test_embeddings_are_nearly_those_of_the_floats(proto: ModelProto, int8: ModelProto):
    images = smooth_images(40)[32:]
    exact, close = (embed_normals(load_session(each.SerializeToString(), 1), images) for each in (proto, int8))
    for axis in range(3):
        assert float((exact[axis] * close[axis]).sum(axis=1).min()) > 0.99
        assert not np.array_equal(exact[axis], close[axis])


def test_quantising_again_gives_the_same_bytes_and_says_nothing(
    proto: ModelProto, int8: ModelProto, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    again = quantise(proto, smooth_images(32))
    assert again.SerializeToString(deterministic=True) == int8.SerializeToString(deterministic=True)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_speeds_are_told_of_each_graph(proto: ModelProto, int8: ModelProto):
    graphs = {"fp32": proto.SerializeToString(), "int8": int8.SerializeToString()}
    found = images_per_second(graphs, smooth_images(4), rounds=1)
    assert set(found) == {"fp32", "int8"}
    assert min(found.values()) > 0
