"""Where the faces are: the short-range BlazeFace detector (Bazarevsky et al. 2019)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numpy import ndarray

from models.photos.anchors import INPUT_SIDE, decode, merge_overlapping, scores
from models.photos.litert import LiteNetwork
from models.photos.warping import from_centres, warp_square
from models.types import Photo

MIN_SCORE = 0.5
# Grey rather than black around the photo: the lowest best score over the 400 ORL photos is then .83, not .81.
_SURROUND = (128, 128, 128)
# A quarter of the longer side around it, so that a face filling the frame has a background; then more.
_MARGINS = (0.25, 0.75)
# Then squares of a half and a quarter of the longer side: a face needs about a fifth of what the network is shown.
_PARTS = (2, 4)
_SMALLEST_PART = 96


class Detection(NamedTuple):
    """One face, pixel frame of the photo: box x0 y0 x1 y1 (may reach outside), score 0-1, and six key points.

    Key points, left and right as seen in the image: left eye, right eye, nose tip, mouth centre, left ear, right ear.
    """

    box: Float32[ndarray, "4"]
    score: float
    keypoints: Float32[ndarray, "6 2"]


class _View(NamedTuple):
    """A square of the photo, pixels; it may reach outside."""

    x: float
    y: float
    side: float


class FaceDetector:
    """The network and the squares of the photo it is shown. Not to be shared between threads."""

    def __init__(self, network: Path) -> None:
        self._network = LiteNetwork(network)

    def detect(self, photo: Photo) -> list[Detection]:
        """Faces in the photo, best first; empty when there is none.

        The whole photo is looked at first, and only if it shows no face, ever smaller parts of it: a face of a
        fifteenth of the longer side is found, and a small one beside a large one is not.
        """
        height, width = photo.pixels.shape[:2]
        for views in _levels(width, height):
            seen = [self._detect_in(photo.pixels, view) for view in views]
            points, score = (np.concatenate(parts) for parts in zip(*seen, strict=True))
            if len(score):
                merged = merge_overlapping(points, score)
                return [Detection(each.points[:2].ravel(), each.score, each.points[2:]) for each in merged]
        return []

    def _detect_in(
        self, pixels: UInt8[ndarray, "h w 3"], view: _View
    ) -> tuple[Float32[ndarray, "n 8 2"], Float32[ndarray, " n"]]:
        to_photo = _to_photo(view)
        shown = warp_square(pixels, from_centres(to_photo), INPUT_SIDE, surround=_SURROUND)
        outputs = self._network.run(shown, low=-1.0, high=1.0)
        points, score = decode(outputs[16][0]), scores(outputs[1][0])
        likely = score >= MIN_SCORE
        placed = points[likely] @ to_photo[:, :2].T + to_photo[:, 2]
        return placed.astype(np.float32), score[likely]


def _levels(width: int, height: int) -> Iterator[list[_View]]:
    longest = max(width, height)
    for margin in _MARGINS:
        side = longest * (1 + 2 * margin)
        yield [_View((width - side) / 2, (height - side) / 2, side)]
    for parts in _PARTS:
        side = longest / parts
        if side >= _SMALLEST_PART:
            yield [_View(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: int, side: float) -> list[float]:
    """Where squares begin that cover the length, each half over the next; one in the middle if it is shorter."""
    if length <= side:
        return [(length - side) / 2]
    return np.linspace(0, length - side, int(np.ceil(2 * (length / side - 1))) + 1).tolist()


def _to_photo(view: _View) -> Float64[ndarray, "2 3"]:
    """From the network's pixel edges, which are its integers, to the photo's pixel centres, which are ours."""
    scale = view.side / INPUT_SIDE
    return np.array([[scale, 0, view.x - 0.5], [0, scale, view.y - 0.5]])
