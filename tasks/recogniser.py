"""Sphere20: pre-training on photos, the baseline that is not adapted, and fine-tuning on one normal component."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Int64
from numpy import ndarray
from prefect import task

from infra.profiles import RecogniserConfig
from infra.settings import usable_cores
from infra.store import Artefact
from models.errors import DataError
from models.networks.sphere20 import Sphere20
from models.types import AXES
from tasks import policies
from tasks.align import Crops
from tasks.files import read_json
from tasks.fit_sphere20 import Fit, LossName, fit_sphere20, open_sphere20
from tasks.jobs import Job, child_run, complete_curve
from tasks.normals import NormalShards
from tasks.pool import run_apart
from tasks.ranks import run_ranks
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["tasks.fit_sphere20"]


class Network(NamedTuple):
    """A trained Sphere20 on disk."""

    artefact: Artefact


@task(name="pre-train Sphere20 on photos", **policies.STAGE)
def pretrain(crops: Crops, config: RecogniserConfig, seed: int, job: Job) -> Network:
    """Cross-entropy over the people of the photos (paper A, 2.1)."""
    labels, classes = number_subjects([row.subject for row in crops.rows()])
    fit = Fit(
        "pre-training",
        None,
        None,
        "cross_entropy",
        crops.paths("recogniser"),
        labels,
        classes,
        config.pretraining,
        config,
        seed,
        run_id="",
        threads=len(usable_cores()),
    )
    return _train(crops.shards, fit, job)


@task(name="fine-tune Sphere20 on one axis", **policies.STAGE)
def finetune(
    normals: NormalShards,
    pretrained: Network,
    axis: Literal["x", "y", "z"],
    loss: LossName,
    config: RecogniserConfig,
    seed: int,
    job: Job,
) -> Network:
    """The pre-trained network adapted to Nx, Ny or Nz, fully connected layer and classifier anew (paper A, 2.3)."""
    labels, classes = number_subjects(normals.subjects)
    fit = Fit(
        f"{loss}-{axis}",
        pretrained.artefact.path,
        AXES.index(axis),
        loss,
        normals.paths,
        labels,
        classes,
        config.finetuning,
        config,
        seed,
        run_id="",
        threads=threads_each(len(usable_cores())),
    )
    return _train([*normals.shards, pretrained.artefact], fit, job)


def load_sphere20(stored: Network) -> Sphere20:
    """The trained network, in evaluation mode."""
    return open_sphere20(stored.artefact.path)


def threads_each(cores: int, trainings: int = 6) -> int:
    """Threads of each of several trainings that run side by side (three axes, two losses): together all cores.

    One thread a training uses two cores better than two threads on one training after another. It depends on the
    machine alone: another number of threads adds in another order, so a job resumed with other workers would differ.
    """
    return max(1, cores // trainings)


def number_subjects(subjects: Sequence[str]) -> tuple[Int64[ndarray, " n"], int]:
    """Class numbers in the order of the subjects' names, and how many there are; at least two are needed."""
    names, labels = np.unique(np.array(subjects), return_inverse=True)
    if len(names) < 2:
        raise DataError(f"photos of {len(names)} people: at least two are needed to train a recogniser")
    return labels.astype(np.int64), len(names)


def _train(inputs: Sequence[Artefact], fit: Fit, job: Job) -> Network:
    """Train in a process of its own, or in several, and log parameters and curve to the network's own run."""
    workspace = open_workspace()
    here = workspace.settings.training_processes
    settings = _settings(fit)
    axis = "photo" if fit.axis is None else AXES[fit.axis]
    run = child_run(workspace, job, fit.name, tags={"network": "sphere20", "loss": fit.loss, "axis": axis})
    run.log_params({**settings, "people": fit.classes, "images": len(fit.labels)})

    def build(folder: Path, scratch: Path) -> float:
        known = fit._replace(run_id=run.run_id)
        if workspace.settings.training_ranks > 1:
            each = known._replace(threads=max(1, len(usable_cores()) // here))
            return run_ranks(workspace.settings, "sphere20", folder, scratch, each)
        seconds = run_apart(workspace.settings.workers, fit_sphere20, folder, scratch, known)
        return seconds * fit.threads / len(usable_cores())  # its share of the wall time

    made = make(workspace, "sphere20", inputs, settings, CODE, build)
    complete_curve(run, read_json(made.path / "history.json"))
    run.finish()
    return Network(made)


def _settings(fit: Fit) -> dict[str, Any]:
    """What the result depends on beside the images."""
    config = fit.config
    return {
        "name": fit.name,
        **fit.numbers.model_dump(),
        "width": config.width,
        "embedding": config.embedding,
        "batch_norm": config.batch_norm,
        "augmentation": repr(fit.augment),
        "seed": fit.seed,
        **(config.lmcl.model_dump() if fit.loss == "lmcl" else {}),
    }
