"""The detector's raw outputs to boxes: anchors, decoding and weighted merging (Liu et al. 2016; BlazeFace, 2019)."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

INPUT_SIDE = 128
# (stride in input pixels, anchors a cell) of the detector's two output grids
_GRIDS = ((8, 2), (16, 6))
SAME_FACE_OVERLAP = 0.3


class Candidate(NamedTuple):
    """A score and eight points, input pixels: the box's upper left and lower right corner, then six key points."""

    points: Float32[ndarray, "8 2"]
    score: float


@cache
def anchors() -> Float32[ndarray, "896 2"]:
    """Centre x, y of every anchor in input pixels, pixel edges at integers; every anchor is as large as the input."""
    grids: list[ndarray] = []
    for stride, count in _GRIDS:
        ticks = (np.arange(INPUT_SIDE // stride, dtype=np.float32) + 0.5) * stride
        y, x = np.meshgrid(ticks, ticks, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(grids).astype(np.float32)


def decode(raw: Float32[ndarray, "896 16"]) -> Float32[ndarray, "896 8 2"]:
    """Corners and key points, input pixels. The network gives centre, size and key points relative to its anchor."""
    values = raw.reshape(896, 8, 2)
    centre = values[:, 0] + anchors()
    half = values[:, 1] / 2
    corners = np.stack([centre - half, centre + half], axis=1)
    return np.concatenate([corners, values[:, 2:] + anchors()[:, None]], axis=1)


def scores(logits: Float32[ndarray, "896 1"]) -> Float32[ndarray, "896"]:
    """Logistic of the logits, which are first held within +-80 so that nothing overflows."""
    return 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))


def merge_overlapping(points: Float32[ndarray, "n 8 2"], score: Float32[ndarray, " n"]) -> list[Candidate]:
    """Weighted non-maximum suppression, best first: each face is the score-weighted mean of the boxes over it.

    Averaging steadies the key points, which jitter between neighbouring anchors (BlazeFace, section 4).
    """
    merged: list[Candidate] = []
    left = np.argsort(-score, kind="stable")
    while len(left):
        best = left[0]
        same = overlaps(points[best], points[left]) > SAME_FACE_OVERLAP
        same[0] = True
        group = left[same]
        mean = np.average(points[group], axis=0, weights=score[group]).astype(np.float32)
        merged.append(Candidate(mean, float(score[best])))
        left = left[~same]
    return merged


def overlaps(one: Float32[ndarray, "8 2"], many: Float32[ndarray, "n 8 2"]) -> Float32[ndarray, " n"]:
    """Intersection over union of one box with many; zero for empty ones."""
    low = np.maximum(one[0], many[:, 0])
    high = np.minimum(one[1], many[:, 1])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(many[:, 1] - many[:, 0], 0), axis=1)
    own = np.prod(np.maximum(one[1] - one[0], 0))
    return shared / np.maximum(areas + own - shared, np.float32(1e-9))
