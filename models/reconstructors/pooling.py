"""Estimates of many photos made one population: pooled by subject, and as widely spread as people are."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

LARGEST_GAIN = 6.0


class Subjects(NamedTuple):
    """The mean identity of each subject as estimated, and as trained on after `restored_spread`."""

    means: Float32[ndarray, "s k"]
    restored: Float32[ndarray, "s k"]


def subject_means(
    identities: Iterable[Float32[ndarray, "_ k"]], owners: Sequence[Int64[ndarray, " _"]], count: int
) -> Float32[ndarray, "s k"]:
    """Mean over the rows of each of `count` subjects; `owners` numbers the subjects, a block at a time.

    Several photos of one person give one shape (Tran et al., CVPR 2017, 3.1). A subject without a row gets zeros.
    """
    sums, rows = None, np.zeros(count)
    for block, owner in zip(identities, owners, strict=True):
        sums = np.zeros((count, block.shape[1])) if sums is None else sums
        np.add.at(sums, owner, block)
        rows += np.bincount(owner, minlength=count)
    if sums is None:
        return np.zeros((count, 0), dtype=np.float32)
    return (sums / np.maximum(rows, 1)[:, None]).astype(np.float32)


def restored_spread(means: Float32[ndarray, "s k"], share: float) -> Float32[ndarray, "s k"]:
    """Subjects moved away from their centre until each component spreads as it does over people.

    A regression trained on squared errors answers near the mean where it is unsure (Chang et al., FG 2018, 3.2, on
    ExpNet): its faces are more alike than people are. A component's prior standard deviation is 1; its gain is
    1 / (the spread of `means`) to the power of `share`, between 1 and 6. `share` 0 changes nothing.
    """
    spread = means.std(axis=0, dtype=np.float64)
    known = spread > 1e-6
    gain = np.where(known, np.clip(np.where(known, spread, 1.0) ** -share, 1.0, LARGEST_GAIN), 1.0)
    centre = means.mean(axis=0, dtype=np.float64)
    return (centre + (means - centre) * gain).astype(np.float32)


def pool_identities(
    own: Float32[ndarray, "n k"], owner: Int64[ndarray, " n"], subjects: Subjects, share: float
) -> Float32[ndarray, "n k"]:
    """Identities that are `share` parts their subject's mean and the rest their own, about the restored mean.

    A photo's light and pose disturb its estimate; the mean over a person's photos is steadier. With `share` 0 and no
    restored spread every photo keeps to itself, as paper A does.
    """
    return subjects.restored[owner] + (np.float32(1 - share) * (own - subjects.means[owner])).astype(np.float32)


class Wearing(NamedTuple):
    """How faces come by expressions: the chance to wear another photo's, and the smallest and largest strength."""

    transfer: float
    weakest: float
    strongest: float


def worn_expressions(
    own: Float32[ndarray, "n e"], others: Float32[ndarray, "m e"], wearing: Wearing, rng: np.random.Generator
) -> Float32[ndarray, "n e"]:
    """Each face's own expression or one drawn from `others`, times a strength drawn evenly.

    A 3D model takes expressions apart from identities, so any face can wear any expression (Shen et al., AAAI 2024, use
    it to make training faces). Strengths above 1 make up for an estimate that holds back.
    """
    count = len(own)
    borrowed = others[rng.integers(len(others), size=count)]
    swapped = rng.random(count) < wearing.transfer
    strength = rng.uniform(wearing.weakest, wearing.strongest, size=count).astype(np.float32)
    return np.where(swapped[:, None], borrowed, own) * strength[:, None]
