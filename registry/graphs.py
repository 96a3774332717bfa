"""ONNX graphs at the door of the registry: parsed, checked, free of paths, with the signature MLflow shows."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from registry.errors import RegistryError

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

STANDARD = {"", "ai.onnx", "ai.onnx.ml"}
"""Domains whose operators come with ONNX Runtime; others can name a library to load."""


def read_graph(graph: bytes) -> ModelProto:
    """Parse and check ONNX bytes; raises `RegistryError`.

    Weights in other files are refused, for a path is an attack, and so are operators of anybody's own.
    """
    try:
        proto = onnx.load_model_from_string(graph)
    except Exception as error:  # the protobuf runtimes raise types of their own
        raise RegistryError(f"not an ONNX graph ({type(error).__name__}): export the model again") from None
    if any(tensor.data_location == TensorProto.EXTERNAL or tensor.external_data for tensor in _tensors(proto)):
        raise RegistryError("the ONNX graph keeps weights in other files: export it as one file")
    foreign = {entry.domain for entry in proto.opset_import} - STANDARD
    if foreign:
        raise RegistryError(f"the ONNX graph needs operators of {', '.join(sorted(foreign))}: use standard ones")
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        raise RegistryError(f"the ONNX graph is not valid: {' '.join(str(error).split())[:200]}") from None
    return proto


def signature(proto: ModelProto) -> "ModelSignature":
    """Names, dtypes and shapes of inputs and outputs; -1 stands for a size that is free."""
    from mlflow.models import ModelSignature

    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    return ModelSignature(inputs=_schema(inputs), outputs=_schema(proto.graph.output))


def _schema(values: Iterable[ValueInfoProto]) -> "Schema":
    from mlflow.types import Schema, TensorSpec

    specs: list[TensorSpec] = []
    for value in values:
        tensor = value.type.tensor_type
        shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
        specs.append(TensorSpec(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type), shape, value.name))
    return Schema(specs)  # pyright: ignore[reportArgumentType]


def _tensors(proto: ModelProto) -> Iterator[TensorProto]:
    """Every tensor, also those in subgraphs and functions."""
    yield from _of_graph(proto.graph)
    for function in proto.functions:
        yield from _of_nodes(function.node)


def _of_graph(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (attribute.g, *attribute.graphs):
            yield from _of_graph(graph)
