"""The landmark-based baseline: a morphable model fitted to detected points, without any training (paper A, 2.2).

The built-in model is fitted to MediaPipe's 468 points; any other, and photos of which no more is known, to iBUG's 68.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int32
from numpy import ndarray

from models.errors import PhotoError
from models.geometry.landmark_fit import PointFit, PointModel, PointNoise, fit_points
from models.morphable.basel import load_basel
from models.morphable.builtin import load_face
from models.morphable.landmark_calibration import LandmarkCalibration, LandmarkErrors, load_landmark_calibration
from models.morphable.model import MorphableModel
from models.morphable.spaces import require_space
from models.photos.points import landmarks68
from models.reconstructors.crop_camera import crop_camera
from models.reconstructors.protocol import BATCH, FacePhoto, Outcome, Reconstruction, Reconstructor
from models.rendering.camera import angles_from_rotation
from models.types import Coefficients, Failure, Pose

SIDE = 224
"""The crop in whose pixels points are fitted; the camera, and so the pose, is the same for crops of any side."""
WORST_MISFIT = 1.5
"""No face of 400 real and 200 made-up photos reaches 1; points strewn by two pixels at random reach 2.5."""


@dataclass(frozen=True)
class PointSet:
    """One kind of landmarks: the model at their places, and how detectors err there."""

    model: PointModel
    noise: PointNoise


@dataclass(frozen=True)
class LandmarkFit:
    """A `Reconstructor`; `dense` is None for a model on which only iBUG's points are marked."""

    face: MorphableModel
    sparse: PointSet
    dense: PointSet | None = None

    @property
    def space(self) -> str:
        """The space of the morphable model."""
        return self.face.space

    def reconstruct(
        self,
        photos: Iterable[FacePhoto],
        device: torch.device,  # noqa: ARG002 - some small systems of equations: the CPU is the place for them
        batch_size: int = BATCH,  # noqa: ARG002 - one photo at a time
    ) -> Iterator[Outcome]:
        """See `Reconstructor`. A photo without landmarks, or whose landmarks are no face, is a failure."""
        for photo in photos:
            try:
                yield self._fitted(photo)
            except PhotoError as error:
                yield Failure(photo.path, str(error))

    def decode(
        self,
        coefficients: Sequence[Coefficients],
        device: torch.device,  # noqa: ARG002 - one matrix product a face
    ) -> Iterator[Float32[ndarray, "n 3"]]:
        """See `Decoder`."""
        for each in coefficients:
            require_space(each, self.space, "landmark fit")
            yield self.face.shape(each.identity, each.expression)

    def _fitted(self, photo: FacePhoto) -> Reconstruction:
        points, kind = self._points(photo)
        to_photo = photo.aligned(SIDE).to_photo
        seen = np.linalg.solve(to_photo[:, :2], (points - to_photo[:, 2]).T).T
        try:
            fit = fit_points(kind.model, seen, kind.noise, crop_camera(SIDE))
        except ValueError as error:
            raise PhotoError(f"{photo.path}: no face can be fitted: {error}; detect its landmarks again") from error
        if not (fit.converged and fit.misfit <= WORST_MISFIT):
            raise PhotoError(
                f"{photo.path}: the landmarks are not those of a face (misfit {fit.misfit:.1f}, {WORST_MISFIT:g} at "
                "most); detect them again or leave the photo out"
            )
        coefficients = _coefficients(fit, self.face)
        vertices = self.face.shape(coefficients.identity, coefficients.expression)
        return Reconstruction(photo.path, vertices, self.face.triangles, coefficients)

    def _points(self, photo: FacePhoto) -> tuple[Float64[ndarray, "p 2"], PointSet]:
        if photo.landmarks is not None and self.dense is not None:
            return photo.landmarks[:, :2].astype(np.float64), self.dense
        if photo.landmarks68 is not None:
            return photo.landmarks68.astype(np.float64), self.sparse
        if photo.landmarks is not None:
            return landmarks68(photo.landmarks).astype(np.float64), self.sparse
        raise PhotoError(f"{photo.path}: no landmarks are known; look for them with the face networks first")


def landmark_fit(face: MorphableModel, known: LandmarkCalibration) -> LandmarkFit:
    """The fit of any morphable model to the 68 points it has marked."""
    return LandmarkFit(face, PointSet(model_at(face, face.landmarks68), _noise(known.sparse)))


def builtin_landmark_fit(face: MorphableModel, known: LandmarkCalibration) -> LandmarkFit:
    """The fit of the built-in face, subdivided once, to MediaPipe's 468 points, or else to iBUG's 68."""
    dense = PointSet(model_at(face, known.vertices), _noise(known.dense))
    return replace(landmark_fit(face, known), dense=dense)


def open_landmarks(folder: Path | None) -> Reconstructor:
    """The fit of the built-in face or, where a folder is named, of the Basel Face Model in it; see `load_basel`."""
    known = load_landmark_calibration()
    return builtin_landmark_fit(load_face(), known) if folder is None else landmark_fit(load_basel(folder), known)


def model_at(face: MorphableModel, vertices: Int32[ndarray, " p"]) -> PointModel:
    """The morphable model at some of its vertices."""
    basis = np.concatenate([face.identity_basis[:, vertices], face.expression_basis[:, vertices]])
    return PointModel(face.template[vertices].astype(np.float64), basis.astype(np.float64))


def _noise(errors: LandmarkErrors) -> PointNoise:
    """In pixels of the crop."""
    return PointNoise(*(SIDE * values.astype(np.float64) for values in errors))


def _coefficients(fit: PointFit, face: MorphableModel) -> Coefficients:
    identity, expression = np.split(fit.coefficients.astype(np.float32), [len(face.identity_basis)])
    x, y, z = (float(value) for value in fit.pose.translation)
    pose = Pose(*angles_from_rotation(fit.pose.rotation), (x, y, z))
    return Coefficients(face.space, identity, expression, pose=pose)
