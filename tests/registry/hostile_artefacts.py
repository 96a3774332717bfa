"""Files that somebody who means harm could put where a model is expected; those that can run code touch a canary."""

import gzip
import io
import json
import os
import pickle  # noqa: TID251 - to make what must never be loaded
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import yaml
from onnx import ModelProto, NodeProto, SparseTensorProto, TensorProto, helper

GRAPH, WEIGHTS, DESCRIPTION = "model.onnx", "weights.safetensors", "MLmodel"


class Hostile(NamedTuple):
    """What it is, the name it takes in a package, and its bytes."""

    what: str
    name: str
    content: bytes


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.canary}",)


def artefacts(canary: Path) -> Iterator[Hostile]:
    """All of them; each that can run code would make `canary`."""
    yield from _pickles(canary)
    yield from _archives(canary)
    yield from _graphs(canary)
    yield from _weights()
    yield from _descriptions(canary)


def _pickles(canary: Path) -> Iterator[Hostile]:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield Hostile(f"pickle {protocol} as graph", GRAPH, pickle.dumps(Payload(canary), protocol))
    raw = pickle.dumps(Payload(canary))
    yield Hostile("pickle by its own name", "model.pkl", raw)
    yield Hostile("pickle as weights", WEIGHTS, raw)
    yield Hostile("pickle as description", DESCRIPTION, raw)
    yield Hostile("compressed pickle", GRAPH, zlib.compress(raw))
    text = f"cos\nsystem\n(S'touch {canary}'\ntR.".encode()
    yield Hostile("pickle written by hand", WEIGHTS, text)
    array = io.BytesIO()
    np.save(array, np.array([Payload(canary)], dtype=object), allow_pickle=True)
    yield Hostile("array of objects", WEIGHTS, array.getvalue())
    checkpoint = io.BytesIO()
    torch.save(Payload(canary), checkpoint)  # noqa: TID251
    for name in ("model.pt", GRAPH, WEIGHTS):
        yield Hostile(f"PyTorch checkpoint as {name}", name, checkpoint.getvalue())
    legacy = io.BytesIO()
    torch.save(Payload(canary), legacy, _use_new_zipfile_serialization=False)  # noqa: TID251
    yield Hostile("old PyTorch checkpoint", GRAPH, legacy.getvalue())


def _archives(canary: Path) -> Iterator[Hostile]:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights", bytes(2**24))
        archive.writestr(f"../{canary.name}", b"!")
    yield Hostile("zip bomb as graph", GRAPH, bomb.getvalue())
    yield Hostile("zip bomb as weights", WEIGHTS, bomb.getvalue())
    yield Hostile("zip bomb by its own name", "weights.npz", bomb.getvalue())
    yield Hostile("gzip bomb", WEIGHTS, gzip.compress(bytes(2**24)))
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(f"../{canary.name}"))
    yield Hostile("tape archive that climbs", GRAPH, tape.getvalue())
    yield Hostile("half a zip", WEIGHTS, bomb.getvalue()[:200])


def external(location: str) -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def model_of(nodes: list[NodeProto], initializers: tuple[TensorProto, ...] = (), domain: str = "") -> ModelProto:
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph(nodes, "g", [], [output], initializers)
    opsets = [helper.make_opsetid(each, 18 if not each else 1) for each in dict.fromkeys(("", domain))]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def _graphs(canary: Path) -> Iterator[Hostile]:
    copy = helper.make_node("Identity", ["w"], ["y"])
    for location in ("weights.bin", "../weights.bin", f"../../{canary.name}", "/etc/passwd", str(canary)):
        model = model_of([copy], (external(location),))
        yield Hostile(f"weights at {location[:20]}", GRAPH, model.SerializeToString())
    constant = helper.make_node("Constant", [], ["y"], value=external("../w"))
    yield Hostile("weights elsewhere, in a constant", GRAPH, model_of([constant]).SerializeToString())
    end = helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])
    inner = helper.make_graph([helper.make_node("Constant", [], ["z"], value=external("../w"))], "inner", [], [end])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    nested = model_of([branch], (helper.make_tensor("c", TensorProto.BOOL, [], [True]),))
    yield Hostile("weights elsewhere, in a nested graph", GRAPH, nested.SerializeToString())
    sparse = SparseTensorProto(values=external("../w"), dims=[2])
    hidden = helper.make_node("Constant", [], ["y"], sparse_value=sparse)
    yield Hostile("weights elsewhere, in a sparse constant", GRAPH, model_of([hidden]).SerializeToString())
    value = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    value.external_data.add(key="location", value="../w")
    yield Hostile("weights inside that name a file all the same", GRAPH, model_of([copy], (value,)).SerializeToString())
    whole = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    for domain in ("evil.library", "com.microsoft", "ai.onnx.contrib"):
        node = helper.make_node("PythonOp", ["w"], ["y"], domain=domain)
        yield Hostile(f"operator of {domain}", GRAPH, model_of([node], (whole,), domain).SerializeToString())
    good = model_of([copy], (whole,)).SerializeToString()
    yield Hostile("torn graph", GRAPH, good[: len(good) * 2 // 3])
    yield Hostile("no bytes as graph", GRAPH, b"")
    yield Hostile("ORT's own format", GRAPH, struct.pack("<I", 24) + b"ORTM" + bytes(64))
    yield Hostile("text as graph", GRAPH, b"#!/bin/sh\ntouch canary\n")
    lying = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    lying.dims[:] = [2**40]
    yield Hostile("a tensor larger than its bytes", GRAPH, model_of([copy], (lying,)).SerializeToString())


def safetensors_of(header: object, body: bytes, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def _weights() -> Iterator[Hostile]:
    one = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    for what, content in {
        "header longer than the file": safetensors_of({"w": one}, bytes(8), 10**6),
        "header of 2^63 bytes": safetensors_of({"w": one}, bytes(8), 2**63),
        "header of no bytes": safetensors_of({"w": one}, bytes(8), 0),
        "header that is no JSON": safetensors_of(b"{w}", bytes(8)),
        "tensor beyond the end": safetensors_of({"w": {**one, "data_offsets": [0, 8000]}}, bytes(8)),
        "tensor that starts before it": safetensors_of({"w": {**one, "data_offsets": [-8, 0]}}, bytes(8)),
        "shape that does not fit its bytes": safetensors_of({"w": {**one, "shape": [3]}}, bytes(8)),
        "shape that overflows": safetensors_of({"w": {**one, "shape": [2**62, 8]}}, bytes(8)),
        "tensors that overlap": safetensors_of({"a": one, "b": {**one, "data_offsets": [4, 12]}}, bytes(12)),
        "bytes behind the last tensor": safetensors_of({"w": one}, bytes(8) + b"#!/bin/sh"),
        "a hole between tensors": safetensors_of({"a": one, "b": {**one, "data_offsets": [16, 24]}}, bytes(24)),
        "unknown type": safetensors_of({"w": {**one, "dtype": "PYOBJECT"}}, bytes(8)),
        "torn": safetensors_of({"w": one}, bytes(8))[:-3],
    }.items():
        yield Hostile(f"weights: {what}", WEIGHTS, content)


def _descriptions(canary: Path) -> Iterator[Hostile]:
    usual = {"onnx": {"data": GRAPH}, "python_function": {"loader_module": "mlflow.onnx", "data": GRAPH}}

    def told(**changed: object) -> bytes:
        return yaml.safe_dump({"flavors": {**usual, **changed}}).encode()

    command = f"!!python/object/apply:os.system ['touch {canary}']\n".encode()
    python = usual["python_function"]
    yield Hostile("description that builds objects", DESCRIPTION, command)
    yield Hostile(
        "description with a loader of its own", DESCRIPTION, told(python_function={**python, "loader_module": "evil"})
    )
    yield Hostile("description with code", DESCRIPTION, told(python_function={**python, "code": "code"}))
    yield Hostile("description of a pickled model", DESCRIPTION, told(sklearn={"pickled_model": "model.json"}))
    yield Hostile("description that is a list", DESCRIPTION, b"- 1\n- 2\n")
    yield Hostile("description that is not YAML", DESCRIPTION, b"flavors: {onnx: [\n")
    yield Hostile("code", "loader.py", f"open({str(canary)!r}, 'w')".encode())
    yield Hostile("library", "operators.so", b"\x7fELF")
