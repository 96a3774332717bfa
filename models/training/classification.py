"""Training of a classifier on coefficient vectors or on photos (paper B, 3.3): cross-entropy, one cycle of the rate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from numpy import ndarray
from torch import Tensor
from torch.nn import functional

from models.errors import ConfigurationError, DataError
from models.networks.classifier import CoefficientClassifier, PhotoClassifier
from models.networks.preprocessing import scale_pixels
from models.training.batching import SeededBatches
from models.training.classification_augmentation import CoefficientJitter, PhotoVariation
from models.training.learner import Measured
from models.training.recipe import Precision, Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.shards import ByteStack
from models.training.steps import describe_steps, fit_steps

Classifier = CoefficientClassifier | PhotoClassifier


class Labelled(NamedTuple):
    """Inputs of a batch with the right answer of each task, in the order of the heads."""

    inputs: Tensor
    answers: Int64[Tensor, "b tasks"]


@runtime_checkable
class ClassifierInputs(Protocol):
    """What a classifier is trained on, a row an input."""

    def __len__(self) -> int: ...

    def gather(self, rows: Int64[ndarray, " b"]) -> Tensor:
        """The inputs of a batch, as stored."""
        ...

    def values(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Stored inputs as network values, varied for training."""
        ...

    def described(self) -> dict[str, Any]:
        """What must agree before a checkpoint is resumed; plain values."""
        ...


@dataclass(frozen=True, eq=False)
class CoefficientInputs:
    """Coefficient vectors, and how they are varied."""

    coefficients: Float32[ndarray, "n k"]
    jitter: CoefficientJitter

    def __len__(self) -> int:
        return len(self.coefficients)

    def gather(self, rows: Int64[ndarray, " b"]) -> Float[Tensor, "b k"]:
        """Those vectors."""
        return torch.from_numpy(self.coefficients[rows])

    def values(self, inputs: Float[Tensor, "b k"], generator: torch.Generator) -> Float[Tensor, "b k"]:
        """Varied by what reconstructions of one face vary by."""
        return self.jitter(inputs, generator)

    def described(self) -> dict[str, Any]:
        """The numbers of the variation; the coefficients are hashed with the answers."""
        return {"augmentation": self.jitter.described()}


@dataclass(frozen=True, eq=False)
class PhotoInputs:
    """Some of the photos of a stack, and how they are varied."""

    stack: ByteStack
    places: Int64[ndarray, " n"]
    variation: PhotoVariation

    def __len__(self) -> int:
        return len(self.places)

    def gather(self, rows: Int64[ndarray, " b"]) -> Tensor:
        """Bytes of those photos."""
        return torch.from_numpy(self.stack.gather(self.places[rows]))

    def values(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Turned, scaled, lit and blurred."""
        return self.variation(inputs, generator)

    def described(self) -> dict[str, Any]:
        """Files count by name (those of the store carry their content's hash)."""
        names = [path.parent.name + "/" + path.name for path in self.stack.paths]
        return {"augmentation": repr(self.variation), "images": names}


def fit_classifier(
    network: Classifier,
    inputs: ClassifierInputs,
    answers: Int64[ndarray, "n tasks"],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    label_smoothing: float,
    seed: int,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    precision: Precision = "32-true",
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `network` (in place) with cross-entropy (equations 5 and 6), summed over tasks; see `run_epochs`.

    Accuracy in the rows is that of the first task. Raises `DataError` on unequal lengths and `ConfigurationError` when
    there is no column of answers for a task.
    """
    _require_fitting(network, inputs, answers)
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed)
    order = SeededBatches(len(inputs), batch_size, seed)
    data = {"answers": answers}
    if isinstance(inputs, CoefficientInputs):
        data["coefficients"] = inputs.coefficients
    elif isinstance(inputs, PhotoInputs):
        data["places"] = inputs.places
    settings = {**inputs.described(), "label smoothing": label_smoothing}

    def step(batch: Labelled, generator: torch.Generator) -> Measured:
        logits = network(inputs.values(batch.inputs, generator))
        loss = sum(
            (
                functional.cross_entropy(each.float(), batch.answers[:, task], label_smoothing=label_smoothing)
                for task, each in enumerate(logits)
            ),
            start=torch.zeros((), device=batch.answers.device),
        )
        return Measured(loss, (logits[0].argmax(dim=1) == batch.answers[:, 0]).sum())

    return fit_steps(
        network,
        step,
        lambda rows: Labelled(inputs.gather(rows), torch.from_numpy(answers[rows])),
        order,
        recipe,
        describe_steps(network, recipe, settings, data),
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        device=device,
        precision=precision,
        should_stop=should_stop,
    )


def coefficient_logits(
    network: CoefficientClassifier, coefficients: Float32[ndarray, "n k"], device: torch.device, block: int = 4096
) -> list[Float32[ndarray, "n c"]]:
    """Logits of each task for all inputs."""
    return _logits(
        network, [torch.from_numpy(coefficients[i : i + block]) for i in range(0, len(coefficients), block)], device
    )


def photo_logits(
    network: PhotoClassifier, stack: ByteStack, places: Int64[ndarray, " n"], device: torch.device, block: int = 64
) -> list[Float32[ndarray, "n c"]]:
    """Logits of each task for some of the photos of a stack."""
    parts = (places[start : start + block] for start in range(0, len(places), block))
    return _logits(network, (scale_pixels(torch.from_numpy(stack.gather(part))) for part in parts), device)


def _logits(network: Classifier, batches: Any, device: torch.device) -> list[Float32[ndarray, "n c"]]:
    network.eval().to(device)
    with torch.inference_mode():
        found = [[each.float().cpu().numpy() for each in network(batch.to(device))] for batch in batches]
    network.to("cpu")
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _require_fitting(network: Classifier, inputs: ClassifierInputs, answers: Int64[ndarray, "n tasks"]) -> None:
    if len(inputs) != len(answers) or len(answers) == 0:
        raise DataError(f"{len(inputs)} inputs but {len(answers)} rows of answers: give one an input, at least one")
    if answers.shape[1] != len(network.heads.tasks):
        raise ConfigurationError(f"{answers.shape[1]} columns of answers for the tasks {network.heads.tasks}")
