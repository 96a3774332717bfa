"""Networks as ONNX graphs, checked against torch, and sessions that refuse what is not self-contained."""

import logging
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
import onnxruntime
import torch
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto
from torch import nn

from models.errors import ArtefactError
from models.networks.fused import FusedBranches

INPUTS = ("nx", "ny", "nz")
OUTPUTS = ("dnp_x", "dnp_y", "dnp_z")
PARITY_TOLERANCE = 1e-4
STANDARD = {"", "ai.onnx", "ai.onnx.ml"}
"""Domains whose operators come with ONNX Runtime."""
SIZE_LIMIT = 2**31 - 1
"""Bytes; what protobuf itself can hold."""


def export_fused(module: FusedBranches) -> ModelProto:
    """`module` in evaluation mode: inputs `INPUTS` (batch, 1, h, w) float32, outputs `OUTPUTS` (batch, d), any batch.

    Inputs are network values (`preprocessing.scale_pixels`). Weights are inside; checked by `onnx.checker`.
    """
    height, width = module.image_size
    return export_graph(module, tuple(torch.zeros(2, 1, height, width) for _ in INPUTS), INPUTS, OUTPUTS)


def export_graph(
    module: nn.Module, examples: tuple[torch.Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> ModelProto:
    """`module` in evaluation mode as a graph for any batch; `examples` show the shapes, two rows each."""
    batch = torch.export.Dim("batch")
    with _quiet_export():
        program = torch.onnx.export(
            module.cpu().eval(),
            examples,
            dynamo=True,
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            input_names=list(inputs),
            output_names=list(outputs),
            external_data=False,
            verbose=False,
        )
    assert program is not None  # noqa: S101 - `dynamo=True` always gives one
    proto = program.model_proto
    onnx.checker.check_model(proto, full_check=True)
    return proto


def load_session(source: Path | bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """A CPU session with `threads` threads (0: all cores).

    Raises `ArtefactError` when `source` is absent, no ONNX graph, needs operators of somebody's own, or keeps weights
    outside itself (such a path could name any file of this machine).
    """
    content = _read(source)
    origin = str(source) if isinstance(source, Path) else "the ONNX graph"
    try:
        model = onnx.load_from_string(content)
    except DecodeError as error:
        raise ArtefactError(f"{origin}: not an ONNX graph: export it again") from error
    if any(tensor.data_location == TensorProto.EXTERNAL or tensor.external_data for tensor in _tensors(model)):
        raise ArtefactError(f"{origin}: keeps its weights in other files: export it again with the weights inside")
    foreign = {entry.domain for entry in model.opset_import} - STANDARD
    if foreign:
        raise ArtefactError(f"{origin}: needs operators of {', '.join(sorted(foreign))}: export it with standard ones")
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.load_model_format", "ONNX")  # whatever the first bytes look like
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no narrower base
        raise ArtefactError(
            f"{origin}: ONNX Runtime refuses it ({str(error).splitlines()[0]}): export it again"
        ) from error


def _read(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        size = source.stat().st_size
        if size > SIZE_LIMIT:
            raise ArtefactError(f"{source}: {size} bytes, above the {SIZE_LIMIT} an ONNX graph can have")
        return source.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{source}: cannot be read ({error.strerror}): export it first") from error


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor of the model: of its graph, of nested graphs, of local functions and of training graphs."""
    yield from _graph_tensors(model.graph)
    for function in model.functions:
        for node in function.node:
            yield from _attribute_tensors(node.attribute)
        yield from _attribute_tensors(function.attribute_proto)
    for training in model.training_info:
        yield from _graph_tensors(training.initialization)
        yield from _graph_tensors(training.algorithm)


def _graph_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _attribute_tensors(node.attribute)


def _attribute_tensors(attributes: Sequence[AttributeProto]) -> Iterator[TensorProto]:
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (attribute.g, *attribute.graphs):
            yield from _graph_tensors(graph)


@contextmanager
def _quiet_export() -> Generator[None]:
    """Hide what the exporter says of its own insides: a deprecation, and that torchvision is not there."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    logger.addFilter(_is_about_torch)
    try:
        with warnings.catch_warnings():
            # the three inputs share one batch size, on purpose
            warnings.filterwarnings("ignore", message=r".*The axis name: batch will not be used")
            warnings.filterwarnings("ignore", message=r".*`isinstance\(treespec, LeafSpec\)` is deprecated")
            yield
    finally:
        logger.removeFilter(_is_about_torch)


def _is_about_torch(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("torchvision is not installed")
