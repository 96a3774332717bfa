"""Fits one classifier and answers its validation inputs; runs in a worker process."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray

from models.classifiers.design import Sets
from models.classifiers.linear import LinearClassifier, fit_logistic, fit_nearest_mean
from models.classifiers.stored import ClassifierShape, new_classifier, save_classifier
from models.classifiers.table import CoefficientTable, Pooled, pooled, within_covariance
from models.classifiers.whitening import fit_whitener
from models.errors import DataError
from models.networks.classifier import build_photo_classifier
from models.training.classification import (
    CoefficientInputs,
    PhotoInputs,
    coefficient_logits,
    fit_classifier,
    photo_logits,
)
from models.training.classification_augmentation import CoefficientJitter, PhotoVariation
from models.training.device import pick_device
from models.training.safetensor_files import save_nested, save_weights
from models.training.shards import ByteStack
from tasks.build_crops import read_crop_rows
from tasks.classifier_training import Training, keep_curve, save_predictions
from tasks.parquet import read_parquet
from tasks.wiring import open_workspace


def fit(folder: Path, scratch: Path, training: Training) -> None:
    """Write the classifier, its curve and `predictions.npz` to `folder`; checkpoints and times go to `scratch`."""
    torch.set_num_threads(training.threads)
    if training.candidate.kind == "photos":
        _fit_photos(folder, scratch, training)
        return
    table = read_parquet(training.table)
    seen, unseen = (_vectors(table, side, training) for side in (training.design.training, training.design.validation))
    fit_side = _fit_network if training.candidate.kind == "network" else _fit_linear
    fit_side(folder, scratch, training, table, seen, unseen)


def _fit_linear(folder: Path, _: Path, training: Training, __: CoefficientTable, seen: Pooled, unseen: Pooled) -> None:
    answers = training.design.training.answers[seen.kept]
    classes = len(next(iter(training.design.tasks.values())))
    build = fit_logistic if training.candidate.kind == "logistic" else fit_nearest_mean
    model: LinearClassifier = build(seen.values, answers[:, 0], classes)
    numbers = {
        "mean": model.whitener.mean,
        "transform": model.whitener.transform,
        "weights": model.weights,
        "bias": model.bias,
    }
    save_nested(folder / "weights.safetensors", {name: torch.from_numpy(each) for name, each in numbers.items()})
    save_predictions(folder, [model.logits(unseen.values)], unseen.kept)


def _fit_network(
    folder: Path, scratch: Path, training: Training, table: CoefficientTable, seen: Pooled, unseen: Pooled
) -> None:
    candidate, design, numbers = training.candidate, training.design, training.numbers
    shape = ClassifierShape(
        candidate.depth,
        numbers.width,
        seen.values.shape[1],
        design.tasks,
        candidate.parts,
        candidate.confident,
        table.source,
    )
    answers = design.training.answers[seen.kept]
    network = new_classifier(shape, fit_whitener(seen.values, answers[:, 0]), training.seed)
    device = pick_device(open_workspace().settings.device)
    result = fit_classifier(
        network,
        CoefficientInputs(seen.values, CoefficientJitter(_noise(table, training), training.variation.scaling)),
        answers,
        **training.schedule(),
        checkpoint_dir=scratch,
        on_epoch=training.on_epoch(),
        device=device,
    )
    save_classifier(folder, network, shape)
    keep_curve(folder, scratch, result)
    save_predictions(folder, coefficient_logits(network, unseen.values, device), unseen.kept)


def _vectors(table: CoefficientTable, side: Sets, training: Training) -> Pooled:
    """One side's inputs; raises `DataError` when none of its photos gave a face."""
    found = pooled(table, side.photos, training.candidate.parts, training.candidate.confident)
    if len(found.kept) == 0:
        raise DataError(f"{training.name}: none of {len(side.photos)} inputs has a face: look at the failures")
    return found


def _noise(table: CoefficientTable, training: Training) -> Float64[ndarray, "k k"]:
    """How far a set's vector is from its face: the covariance of single photos over the set's size."""
    side = training.design.training
    group = {
        photo: f"{who}/{answer}"
        for photos, who, answer in zip(side.photos, side.subjects, side.answers[:, 0], strict=True)
        for photo in photos
    }
    photos = sorted(photo for photo in group if table.rows([photo]))
    rows = table.rows(photos)
    values = np.concatenate([table.part(part)[rows] for part in training.candidate.parts], axis=1)
    size = np.mean([len(photos) for photos in side.photos])
    return within_covariance(values, [group[photo] for photo in photos]) * (training.variation.noise**2 / size)


class _Shown(NamedTuple):
    """Places in a stack of the photos that could be cropped, and which of the inputs these are."""

    places: Int64[ndarray, " m"]
    kept: Int64[ndarray, " m"]


def _fit_photos(folder: Path, scratch: Path, training: Training) -> None:
    design, numbers = training.design, training.numbers
    stack = ByteStack([crops / "recogniser.npy" for crops in training.crops])
    rows = [row for crops in training.crops for row in read_crop_rows(crops)]
    place = {row.path: number for number, row in enumerate(rows)}
    seen, unseen = (_shown(place, side) for side in (design.training, design.validation))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = build_photo_classifier(numbers.width, {task: len(names) for task, names in design.tasks.items()})
    device = pick_device(open_workspace().settings.device)
    result = fit_classifier(
        network,
        PhotoInputs(stack, seen.places, PhotoVariation()),
        design.training.answers[seen.kept],
        **training.schedule(),
        checkpoint_dir=scratch,
        on_epoch=training.on_epoch(),
        device=device,
    )
    save_weights(folder / "weights.safetensors", network)
    keep_curve(folder, scratch, result)
    save_predictions(folder, photo_logits(network, stack, unseen.places, device), unseen.kept)


def _shown(place: dict[str, int], side: Sets) -> _Shown:
    kept = [number for number, photos in enumerate(side.photos) if photos[0] in place]
    places = [place[side.photos[number][0]] for number in kept]
    return _Shown(np.array(places, dtype=np.int64), np.array(kept, dtype=np.int64))
