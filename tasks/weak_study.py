"""What R-Net learns without any label: errors on held-out faces, with and without the photometric loss."""

from typing import NamedTuple

from prefect import task

from infra.profiles.rnet import RNetConfig
from tasks import policies
from tasks.jobs import Job
from tasks.rnet import trained_rnet
from tasks.synthesise import Collection
from tasks.wiring import Workspace, open_workspace


class WeakRow(NamedTuple):
    """Errors of one variant on held-out faces beside those of the network before training.

    Landmarks in crop pixels; vertices in mm, neutral and as photographed.
    """

    variant: str
    landmark_px: float
    neutral_mm: float
    expressive_mm: float
    untrained_landmark_px: float
    untrained_neutral_mm: float
    untrained_expressive_mm: float


@task(name="train R-Net without labels", **policies.STAGE)
def study_weak_training(
    photos: Collection, held_out: Collection, config: RNetConfig, seed: int, job: Job
) -> list[WeakRow]:
    """R-Net twice, on landmarks alone and with the photometric loss, whatever labels and perception `config` weighs."""
    return weak_rows(open_workspace(), photos, held_out, config, seed, job)


def weak_rows(
    workspace: Workspace, photos: Collection, held_out: Collection, config: RNetConfig, seed: int, job: Job
) -> list[WeakRow]:
    """What `study_weak_training` does, in a given workspace."""
    rows: list[WeakRow] = []
    for variant, photometric in (("photometric off", 0.0), ("photometric on", config.weights.photometric)):
        weights = {"photometric": photometric, "perceptual": 0.0, "labels": 0.0}
        weak = config.model_copy(update={"weights": config.weights.model_copy(update=weights)})
        trained = trained_rnet(workspace, photos, held_out, weak, seed, job, name=f"R-Net weak, {variant}")
        after, before = trained.error, trained.untrained
        rows.append(
            WeakRow(
                variant,
                trained.landmark_error.pixels,
                after.neutral_mm,
                after.expressive_mm,
                before.landmarks.pixels,
                before.shape.neutral_mm,
                before.shape.expressive_mm,
            )
        )
    return rows
