"""A trained coefficient classifier in a folder: safetensors, and JSON with all that gives its numbers a meaning."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from infra.files import atomic_write_json
from models.classifiers.source import Source
from models.classifiers.whitening import Whitener
from models.errors import ArtefactError
from models.networks.classifier import CoefficientClassifier, build_coefficient_classifier
from models.training.safetensor_files import load_weights, save_weights

WEIGHTS, SHAPE = "weights.safetensors", "shape.json"


class ClassifierShape(NamedTuple):
    """What a classifier takes and tells.

    `tasks` names the answers to each task; inputs are `parts` of coefficients from `source`, identities pooled with
    C-Net's confidences if `confident`, `size` numbers in all.
    """

    depth: int
    width: float
    size: int
    tasks: Mapping[str, tuple[str, ...]]
    parts: tuple[str, ...]
    confident: bool
    source: Source

    def as_data(self) -> dict[str, Any]:
        """Plain values; `shape_from` reads them."""
        return {**self._asdict(), "tasks": dict(self.tasks), "source": self.source._asdict()}


def shape_from(data: Mapping[str, Any], where: str) -> ClassifierShape:
    """What `as_data` gave; raises `ArtefactError` when it is something else."""
    try:
        tasks = {str(name): tuple(map(str, answers)) for name, answers in data["tasks"].items()}
        return ClassifierShape(
            int(data["depth"]),
            float(data["width"]),
            int(data["size"]),
            tasks,
            tuple(map(str, data["parts"])),
            bool(data["confident"]),
            Source(**data["source"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtefactError(f"{where}: not the shape of a classifier ({error}); train one again") from error


def new_classifier(shape: ClassifierShape, whitener: Whitener, seed: int) -> CoefficientClassifier:
    """The network drawn anew by `seed`, with the numbers that whiten its inputs."""
    classes = {task: len(answers) for task, answers in shape.tasks.items()}
    numbers = (torch.from_numpy(values).float() for values in whitener)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_coefficient_classifier(shape.depth, shape.width, classes, *numbers)


def save_classifier(folder: Path, network: CoefficientClassifier, shape: ClassifierShape) -> None:
    """Write weights and shape."""
    save_weights(folder / WEIGHTS, network)
    atomic_write_json(folder / SHAPE, shape.as_data())


def load_classifier(folder: Path) -> tuple[CoefficientClassifier, ClassifierShape]:
    """The network in evaluation mode, and its shape; raises `ArtefactError` when the folder does not hold one."""
    try:
        shape = shape_from(json.loads((folder / SHAPE).read_text(encoding="utf-8")), str(folder / SHAPE))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{folder}: holds no trained classifier ({error}); train one again") from error
    classes = {task: len(answers) for task, answers in shape.tasks.items()}
    blank = torch.zeros(shape.size), torch.eye(shape.size)
    network = build_coefficient_classifier(shape.depth, shape.width, classes, *blank)
    load_weights(folder / WEIGHTS, network)
    return network.eval(), shape
