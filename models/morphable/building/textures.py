"""A linear texture model of the face crop, learned from the procedural albedo."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.morphable.albedo import sample_albedo
from models.morphable.building.basis import Components, principal_components


def texture_model(
    masks: Mapping[str, NDArray[np.uint8]],
    template: NDArray[np.float32],
    attributes: NDArray[np.float32],
    face: NDArray[np.int64],
    count: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], Components]:
    """Mean (k, 3) and components (count, k, 3) of linear-RGB albedo over the face vertices."""
    samples = np.stack([sample_albedo(masks, template, person, rng)[face] for person in attributes])
    mean = samples.mean(axis=0)
    return mean, principal_components(samples - mean, np.ones(len(face)), count)
