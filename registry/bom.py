"""What a model is made of, as a CycloneDX 1.6 ML-BOM: its files, data, licences, lineage and libraries.

Written by hand: cyclonedx-python-lib has no model cards. Tests hold it against that library's schemas.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from onnx import ModelProto, TensorProto, ValueInfoProto

from registry.gates import FREE_LICENCES
from registry.stage_graph import StageGraph

LIBRARIES = ("mlflow", "numpy", "onnx", "onnxruntime", "onnxscript", "safetensors", "torch")
NOTHING = StageGraph((), ())


class Provenance(NamedTuple):
    """Where a model comes from: what it is for, the licence of every source, its lineage by stage, and its limits."""

    task: str = ""
    licences: Mapping[str, str] = {}
    lineage: StageGraph = NOTHING
    limits: Sequence[str] = ()


class Part(NamedTuple):
    """One file of a package."""

    name: str
    sha256: str


def bill_of_materials(
    model: str, key: str, proto: ModelProto, parts: Sequence[Part], provenance: Provenance, tags: Mapping[str, str]
) -> dict[str, Any]:
    """The BOM as data; equal models give equal BOMs. Tags that are numbers become the model card's metrics."""
    data = [_data(number, *each) for number, each in enumerate(sorted(provenance.licences.items()))]
    libraries = [_library(name) for name in LIBRARIES]
    stages = [_stage(stage.name, stage.kind, stage.artefacts) for stage in provenance.lineage.stages]
    files = [_file(part) for part in parts]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{model}/{key}')}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "trinormal", "version": version("trinormal")}]},
            "component": _model(model, proto, data, provenance, tags),
        },
        "components": [*files, *data, *stages, *libraries],
        "dependencies": _dependencies(provenance.lineage, [*files, *data, *libraries]),
    }


def _model(
    model: str, proto: ModelProto, data: Sequence[Mapping[str, Any]], told: Provenance, tags: Mapping[str, str]
) -> dict[str, Any]:
    weights = {tensor.name for tensor in proto.graph.initializer}
    metrics = [{"type": name, "value": value} for name, value in sorted(tags.items()) if _is_number(value)]
    card: dict[str, Any] = {
        "modelParameters": {
            "task": told.task,
            "datasets": [{"ref": each["bom-ref"]} for each in data],
            "inputs": [{"format": _shape(each)} for each in proto.graph.input if each.name not in weights],
            "outputs": [{"format": _shape(each)} for each in proto.graph.output],
        },
        "quantitativeAnalysis": {"performanceMetrics": metrics},
        "considerations": {"technicalLimitations": list(told.limits)},
    }
    licences = [_licence(name) for name in sorted(set(told.licences.values()))]
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": model,
        "licenses": licences,
        "modelCard": card,
        "properties": [{"name": name, "value": value} for name, value in sorted(tags.items()) if not _is_number(value)],
    }


def _dependencies(lineage: StageGraph, direct: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The model rests on its files, data, libraries and last stage; each stage on those it was made from."""
    last = [f"stage:{stage.name}" for stage in lineage.stages if stage.depth == 0]
    below: dict[str, list[str]] = {f"stage:{stage.name}": [] for stage in lineage.stages}
    for source, target in lineage.edges:
        below[f"stage:{target}"].append(f"stage:{source}")
    model = {"ref": "model", "dependsOn": [*(each["bom-ref"] for each in direct), *last]}
    return [model, *({"ref": ref, "dependsOn": sorted(found)} for ref, found in sorted(below.items()))]


def _file(part: Part) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": part.sha256}]
    return {"type": "file", "bom-ref": f"file:{part.name}", "name": part.name, "hashes": hashes}


def _data(number: int, name: str, licence: str) -> dict[str, Any]:
    return {"type": "data", "bom-ref": f"data:{number}", "name": name, "licenses": [_licence(licence)]}


def _stage(name: str, kind: str, artefacts: int) -> dict[str, Any]:
    counted = [{"name": "trinormal:artefacts", "value": str(artefacts)}, {"name": "trinormal:kind", "value": kind}]
    return {"type": "data", "bom-ref": f"stage:{name}", "name": name, "properties": counted}


def _library(name: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version(name)}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version(name), "purl": purl}


def _licence(name: str) -> dict[str, Any]:
    """By its SPDX id where it is one that we know, else by name."""
    return {"license": {"id" if name in FREE_LICENCES else "name": name}}


def _shape(value: ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    sides = [str(side.dim_value) if side.HasField("dim_value") else side.dim_param for side in tensor.shape.dim]
    return f"{value.name}: {TensorProto.DataType.Name(tensor.elem_type).lower()} ({', '.join(sides)})"


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
