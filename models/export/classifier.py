"""A coefficient classifier as an ONNX graph that says what it takes and what its answers are called."""

import json
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from onnx import ModelProto

from models.classifiers.stored import ClassifierShape, shape_from
from models.errors import ArtefactError
from models.export.onnx import export_graph
from models.export.parity import BATCHES, differences
from models.networks.classifier import CoefficientClassifier, Probabilities

INPUT = "coefficients"
METADATA = "trinormal.classifier"


def export_classifier(network: CoefficientClassifier, shape: ClassifierShape) -> ModelProto:
    """Input `coefficients` (batch, size) float32 as reconstructed, outputs `<task>` (batch, answers): probabilities.

    The shape stands in the graph's metadata, as JSON, and piece by piece for people.
    """
    outputs = list(shape.tasks)
    proto = export_graph(Probabilities(network), (torch.zeros(2, shape.size),), (INPUT,), outputs)
    for name, value in metadata(shape).items():
        proto.metadata_props.add(key=name, value=value)
    return proto


def metadata(shape: ClassifierShape) -> dict[str, str]:
    """Labels, space and version of the reconstructor, as the registry shows them."""
    return {
        METADATA: json.dumps(shape.as_data(), sort_keys=True),
        "trinormal.labels": json.dumps({task: list(labels) for task, labels in shape.tasks.items()}, sort_keys=True),
        "trinormal.space": shape.source.space,
        "trinormal.reconstructor": shape.source.reconstructor,
        "trinormal.cnet": shape.source.confidence,
        "trinormal.input": " + ".join(shape.parts),
    }


def read_shape(found: Mapping[str, str], where: str) -> ClassifierShape:
    """The shape out of a graph's metadata; raises `ArtefactError` when it is no classifier's."""
    try:
        return shape_from(json.loads(found[METADATA]), where)
    except (KeyError, ValueError) as error:
        raise ArtefactError(f"{where}: not a classifier of coefficients; train one with train-classifiers") from error


def classifier_parity(
    proto: ModelProto,
    network: CoefficientClassifier,
    shape: ClassifierShape,
    real: Float32[ndarray, "n k"],
) -> dict[str, float]:
    """Largest difference of probabilities between ONNX Runtime and torch, by batch: `random_1`, `real_5`, ...

    Random inputs spread as those of one class that it was trained on; `real` are coefficients of faces, which come
    again where they are fewer than a batch. Raises `ArtefactError` above `PARITY_TOLERANCE`.
    """
    draw = torch.Generator().manual_seed(0)
    mean, transform = (network.get_buffer(name) for name in ("mean", "transform"))
    back = torch.linalg.pinv(transform)
    batches = {f"random_{count}": [mean + torch.randn((count, shape.size), generator=draw) @ back] for count in BATCHES}
    batches |= {f"real_{count}": [torch.from_numpy(np.resize(real, (count, shape.size)))] for count in BATCHES}
    return differences(proto, Probabilities(network), batches, (INPUT,), list(shape.tasks))
