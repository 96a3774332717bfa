"""Training of the inversion encoder: photos to style codes that agree between the views of a face."""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from models.errors import ConfigurationError
from models.losses.inversion import InversionLoss, Views
from models.networks.texface.encoder import StyleEncoder
from models.training.augmentation import PhotoAugmentation
from models.training.paired_batches import PairedBatches
from models.training.recipe import Precision, Recipe
from models.training.rows import FitResult, OnEpoch, ShouldStop
from models.training.shards import ByteStack
from models.training.steps import describe_steps, fit_steps


class StyledPhotos(NamedTuple):
    """Aligned crops, and of each: code, pose (in the units of `CoefficientLayout`), person, and which moment it shows.

    Photos of one `take` show one person with one expression at once, seen by different cameras; without such photos
    number the rows.
    """

    crops: ByteStack
    codes: Float32[ndarray, "n d"]
    poses: Float32[ndarray, "n 6"]
    subjects: Int64[ndarray, " n"]
    takes: Int64[ndarray, " n"]


class PhotoBatch(NamedTuple):
    """Some of them."""

    crops: UInt8[Tensor, "b 3 s s"]
    views: Views


def fit_style_encoder(
    encoder: StyleEncoder,
    loss: InversionLoss,
    photos: StyledPhotos,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    checkpoint_dir: Path,
    on_epoch: OnEpoch,
    device: torch.device,
    precision: Precision = "32-true",
    augment: PhotoAugmentation = PhotoAugmentation(mirror=0.0),  # noqa: B008 - frozen
    told_pose: float = 0.5,
    should_stop: ShouldStop = lambda: False,
) -> FitResult:
    """Train `encoder` (in place) on every photo and its mirror image, two photos of a person side by side.

    With the chance `told_pose` the true pose guides the code, else the estimate. See `run_epochs` for resuming. Raises
    `ConfigurationError` when numbers do not fit, and for an augmentation that mirrors unseen.
    """
    _require_fitting(encoder, photos, augment)
    recipe = Recipe(epochs, batch_size, learning_rate, weight_decay, seed)
    order = PairedBatches(photos.subjects, batch_size, seed)
    loss.to(device)

    def gather(rows: Int64[ndarray, " b"]) -> PhotoBatch:
        columns = (photos.codes, photos.poses, photos.subjects, photos.takes)
        views = Views(*(torch.from_numpy(column[rows]) for column in columns))
        return PhotoBatch(torch.from_numpy(photos.crops.gather(rows)), loss.with_mirror_images(views))

    def step(batch: PhotoBatch, generator: torch.Generator) -> Tensor:
        both = torch.cat([batch.crops, batch.crops.flip(-1)])
        told = torch.rand(len(both), 1, generator=generator, device=both.device) < told_pose
        guide = batch.views.poses.masked_fill(~told, torch.nan)
        codes, poses = encoder.split(encoder(augment(both, generator, None), guide).float())
        return loss(codes, poses, batch.views)

    return fit_steps(
        encoder,
        step,
        gather,
        order,
        recipe,
        _describe(encoder, recipe, loss, photos, augment, told_pose),
        checkpoint_dir=checkpoint_dir,
        on_epoch=on_epoch,
        device=device,
        precision=precision,
        should_stop=should_stop,
    )


def _describe(
    encoder: StyleEncoder,
    recipe: Recipe,
    loss: InversionLoss,
    photos: StyledPhotos,
    augment: PhotoAugmentation,
    told_pose: float,
) -> dict[str, object]:
    settings = {
        "augmentation": asdict(augment),
        "told pose": told_pose,
        "consistency": loss.consistency,
        "images": [[path.name for path in photos.crops.paths], list(photos.crops.image_shape), len(photos.crops)],
    }
    data = photos._asdict() | {
        "metric": loss.metric.gram.cpu().numpy(),
        "pose weights": loss.pose_weights.cpu().numpy(),
    }
    del data["crops"]
    return describe_steps(encoder, recipe, settings, data)


def _require_fitting(encoder: StyleEncoder, photos: StyledPhotos, augment: PhotoAugmentation) -> None:
    if augment.mirror > 0:
        raise ConfigurationError("inversion: photos are mirrored with their codes here: set the augmentation's to 0")
    counts = {len(photos.crops), *(len(np.asarray(column)) for column in photos[1:])}
    if len(counts) > 1 or photos.codes.shape[1] != encoder.code:
        raise ConfigurationError(
            f"inversion: {len(photos.crops)} crops, codes of shape {photos.codes.shape}, poses {photos.poses.shape}, "
            f"for an encoder of {encoder.code} numbers: make one row a crop, with the decoder's style space"
        )
