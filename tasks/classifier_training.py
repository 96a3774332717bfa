"""One classifier to be trained, as a worker is told of it, and what it leaves beside its weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from infra.profiles.classifiers import ClassifierTrainingConfig, VariationConfig
from models.classifiers.design import Design
from models.training.rows import FitResult, OnEpoch
from tasks.files import write_json
from tasks.jobs import curve_of, live_curve
from tasks.progress import announce
from tasks.wiring import open_workspace

Kind = Literal["network", "logistic", "nearest mean", "photos"]
PREDICTIONS, SECONDS, HISTORY = "predictions.npz", "seconds.json", "history.json"


class Candidate(NamedTuple):
    """A way to classify: `parts` of the coefficients, pooled with C-Net's confidences if `confident`.

    `depth` is a network's. Photos have no parts: the image baseline sees their pixels.
    """

    name: str
    kind: Kind
    parts: tuple[str, ...] = ()
    confident: bool = False
    depth: int = 34


class Training(NamedTuple):
    """One candidate on one design. `table` is a Parquet file of coefficients, `crops` are folders of crops."""

    name: str
    candidate: Candidate
    design: Design
    table: Path
    crops: tuple[Path, ...]
    numbers: ClassifierTrainingConfig
    variation: VariationConfig
    seed: int
    run_id: str
    threads: int

    @property
    def epochs(self) -> int:
        """Passes over the training inputs."""
        return self.numbers.epochs(len(self.design.training.photos))

    def schedule(self) -> dict[str, Any]:
        """The numbers that a training takes."""
        return {**self.numbers.model_dump(exclude={"width", "inputs_seen"}), "epochs": self.epochs, "seed": self.seed}

    def on_epoch(self) -> OnEpoch:
        """What is told after each epoch."""
        run = open_workspace().tracker.reopen(self.run_id)
        return live_curve(run, self.name, self.epochs, announce)


def keep_curve(folder: Path, scratch: Path, result: FitResult) -> None:
    """The curve goes into the artefact; how long the epochs took, which differs from run to run, beside it."""
    write_json(folder / HISTORY, curve_of(result.history))
    write_json(scratch / SECONDS, sum(row.seconds for row in result.history))


def save_predictions(folder: Path, logits: Sequence[ndarray], kept: Int64[ndarray, " m"]) -> None:
    """Logits of each task for the validation inputs whose places are `kept`."""
    arrays = {f"logits{number}": each.astype(np.float32) for number, each in enumerate(logits)}
    np.savez(folder / PREDICTIONS, allow_pickle=False, kept=kept, **arrays)


def read_predictions(folder: Path) -> tuple[list[Float32[ndarray, "m c"]], Int64[ndarray, " m"]]:
    """What `save_predictions` wrote."""
    with np.load(folder / PREDICTIONS, allow_pickle=False) as stored:
        return [stored[f"logits{number}"] for number in range(len(stored.files) - 1)], stored["kept"]
