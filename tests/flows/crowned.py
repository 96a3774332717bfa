"""Versions of a model that were never trained, or were damaged, registered and made champion by force."""

import onnx
import torch
from onnx import numpy_helper

from infra.profiles import Profile
from models.export.onnx import export_fused
from models.networks.fused import FusedBranches
from models.networks.sphere20 import Sphere20
from registry import ledger
from registry.packaging import ModelVersion, register
from registry.promotion import reconcile
from tasks.jobs import dotted
from tasks.wiring import Workspace


def untrained(profile: Profile, seed: int) -> bytes:
    """A graph with random weights: they tell faces apart better than chance, as random features do."""
    torch.manual_seed(seed)
    side = profile.normals.pixels
    branches = [Sphere20(1, 0.125, (side, side), 32) for _ in range(3)]
    return export_fused(FusedBranches(*branches)).SerializeToString()


def damaged(graph: bytes, inputs_kept: int = 3) -> bytes:
    """The same graph, of which each last layer hears but a few of its inputs: a sound model that knows nobody."""
    proto = onnx.load_from_string(graph)
    sizes = {output.type.tensor_type.shape.dim[1].dim_value for output in proto.graph.output}
    hit = 0
    for weights in proto.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.ndim == 2 and sizes & set(values.shape):
            values = values.copy()
            inputs = values.T if values.shape[0] in sizes else values
            inputs[inputs_kept:] = 0
            weights.CopyFrom(numpy_helper.from_array(values, weights.name))
            hit += 1
    assert hit == len(proto.graph.output)
    return proto.SerializeToString()


def registered(
    workspace: Workspace, profile: Profile, model: str, graph: bytes, name: str, **tags: str
) -> ModelVersion:
    """A version as a training registers one, under a run with the profile's parameters."""
    parent = workspace.tracker.run("recognizer", f"job {name}", f"{model}-{name}-job", tags=tags)
    parent.log_params(dotted(profile.model_dump()))
    child = workspace.tracker.run("recognizer", "release", f"{model}-{name}-release", parent=parent.run_id)
    version = register(workspace.tracker, child, model, graph, f"{model}-{name}-key", tags={}, card="")
    for run in (child, parent):
        run.finish()
    return version


def crown(workspace: Workspace, version: ModelVersion) -> None:
    """Past every gate."""
    epoch = ledger.champion(workspace.engine, version.model).epoch
    assert ledger.promote(workspace.engine, version.model, version.version, epoch, {"forced": True})
    reconcile(workspace.engine, workspace.tracker, version.model)
