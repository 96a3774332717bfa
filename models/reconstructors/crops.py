"""Networks that see aligned crops only, as reconstructors: alignment, batches and bad results are settled here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from models.errors import PhotoError
from models.morphable.spaces import require_space
from models.reconstructors.protocol import BATCH, FacePhoto, Outcome, Reconstruction
from models.types import Coefficients, Failure


class CropFaces(NamedTuple):
    """What a network makes of a batch of crops: coefficients and vertices (mm, face frame), one of each a crop."""

    coefficients: list[Coefficients]
    vertices: Float32[ndarray, "n v 3"]


@runtime_checkable
class CropModel(Protocol):
    """All that a network has to offer to become a reconstructor."""

    @property
    def space(self) -> str:
        """The space of its coefficients."""
        ...

    @property
    def crop_px(self) -> int:
        """The side of the crops it takes."""
        ...

    @property
    def triangles(self) -> Int32[ndarray, "m 3"]:
        """How the vertices of every face are joined."""
        ...

    def faces(self, crops: UInt8[ndarray, "n 3 s s"], device: torch.device) -> CropFaces:
        """The faces of one batch, computed on `device`."""
        ...

    def decode(self, coefficients: Sequence[Coefficients], device: torch.device) -> Iterator[Float32[ndarray, "v 3"]]:
        """Vertices (mm, face frame) of each face, some at a time; refuses coefficients of another space."""
        ...


@dataclass(frozen=True)
class FromCrops:
    """A `Reconstructor` out of a `CropModel`."""

    model: CropModel

    @property
    def space(self) -> str:
        """The space of the model's coefficients."""
        return self.model.space

    def reconstruct(
        self, photos: Iterable[FacePhoto], device: torch.device, batch_size: int = BATCH
    ) -> Iterator[Outcome]:
        """See `Reconstructor`. What cannot be aligned, or comes out not finite, is a failure."""
        for batch in in_batches(photos, batch_size):
            yield from self._outcomes(batch, device)

    def decode(self, coefficients: Sequence[Coefficients], device: torch.device) -> Iterator[Float32[ndarray, "v 3"]]:
        """See `Decoder`."""
        return self.model.decode(coefficients, device)

    def _outcomes(self, batch: list[FacePhoto], device: torch.device) -> Iterator[Outcome]:
        crops: list[UInt8[ndarray, "3 s s"]] = []
        refused: dict[int, Failure] = {}
        for place, photo in enumerate(batch):
            try:
                crops.append(photo.aligned(self.model.crop_px).pixels.transpose(2, 0, 1))
            except PhotoError as error:
                refused[place] = Failure(photo.path, str(error))
        made = zip(*self.model.faces(np.stack(crops), device), strict=True) if crops else iter(())
        for place, photo in enumerate(batch):
            yield refused[place] if place in refused else self._outcome(photo.path, *next(made))

    def _outcome(self, path: str, coefficients: Coefficients, vertices: Float32[ndarray, "v 3"]) -> Outcome:
        require_space(coefficients, self.model.space, path)
        numbers = (coefficients.identity, coefficients.expression, vertices)
        if not all(np.isfinite(values).all() for values in numbers):
            return Failure(path, f"{path}: the network gave values that are not finite; check or retrain its weights")
        return Reconstruction(path, vertices, self.model.triangles, coefficients)


def in_batches(photos: Iterable[FacePhoto], size: int) -> Iterator[list[FacePhoto]]:
    """Lists of `size` photos, the last one shorter; no more than one is held."""
    source = iter(photos)
    while batch := list(islice(source, size)):
        yield batch
