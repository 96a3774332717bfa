"""What every reconstructor is: a stream of photos in, for each one a face or the reason why there is none.

Third parties join through the entry-point group `trinormal.reconstructors`; each names a `ReconstructorBuilder`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from models.errors import AssetMissing, ConfigurationError
from models.photos.alignment import AlignedPhoto, align_photo, template_points
from models.photos.analysis import PhotoFace
from models.plugins import Catalogue
from models.types import Coefficients, Failure, Photo, Scan

BATCH = 32
"""Photos held at once, unless a caller asks for more."""


@dataclass(frozen=True, eq=False)
class FacePhoto:
    """A photo of one face. `pixels` are the original's or those of an aligned crop; all points are in their frame.

    `points` are the five to align by. `landmarks` (MediaPipe's 468; z on the same scale, away from the camera) and
    `landmarks68` (iBUG's) are None where nobody looked for them. `path` is relative to the photos' folder.
    """

    path: str
    subject: str | None
    pixels: UInt8[ndarray, "h w 3"]
    points: Float32[ndarray, "5 2"]
    landmarks: Float32[ndarray, "468 3"] | None = None
    landmarks68: Float32[ndarray, "68 2"] | None = None

    def aligned(self, size: int) -> AlignedPhoto:
        """The crop that `crop_camera(size)` belongs to, and the map from it to `pixels`; raises `PhotoError`."""
        return align_photo(Photo(self.pixels, self.path), self.points, size)


def from_analysis(photo: Photo, face: PhotoFace, path: str, subject: str | None = None) -> FacePhoto:
    """A photo in which a face has been found, with its 468 landmarks."""
    return FacePhoto(path, subject, photo.pixels, face.points, face.landmarks)


def from_crop(
    crop: UInt8[ndarray, "3 s s"],
    path: str,
    subject: str | None = None,
    landmarks: Float32[ndarray, "468 3"] | None = None,
    landmarks68: Float32[ndarray, "68 2"] | None = None,
) -> FacePhoto:
    """An aligned crop as shards hold it; landmarks, if any, in the crop's pixels. It may be aligned to other sizes."""
    pixels = np.ascontiguousarray(crop.transpose(1, 2, 0))
    points = template_points(len(pixels)).astype(np.float32)
    return FacePhoto(path, subject, pixels, points, landmarks, landmarks68)


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A face: vertices (mm) upright in the face frame, nose tip near the origin. Meshes made elsewhere have no
    coefficients.
    """

    path: str
    vertices: Float32[ndarray, "n 3"]
    triangles: Int32[ndarray, "m 3"]
    coefficients: Coefficients | None = None

    def scan(self) -> Scan:
        """The mesh alone."""
        return Scan(self.vertices, self.triangles)


Outcome = Reconstruction | Failure


@runtime_checkable
class Reconstructor(Protocol):
    """Any way from photos to faces."""

    @property
    def space(self) -> str | None:
        """The space of its coefficients; None when it gives meshes only."""
        ...

    def reconstruct(
        self, photos: Iterable[FacePhoto], device: torch.device, batch_size: int = BATCH
    ) -> Iterator[Outcome]:
        """One outcome a photo, in order. Draws and holds `batch_size` photos at a time, however many there are.

        A photo that gives no face is a `Failure` with its reason; only what concerns them all is raised.
        """
        ...


@runtime_checkable
class Decoder(Protocol):
    """A reconstructor whose coefficients can be turned into surfaces again, also after they were mixed or moved."""

    def decode(self, coefficients: Sequence[Coefficients], device: torch.device) -> Iterator[Float32[ndarray, "n 3"]]:
        """Vertices (mm, face frame) of each face; raises `ConfigurationError` for coefficients of another space."""
        ...


ReconstructorBuilder = Callable[[Path | None], Reconstructor]
"""Opens a reconstructor out of a folder: trained weights, or meshes; None for what needs neither."""

reconstructors: Catalogue[ReconstructorBuilder] = Catalogue("reconstructor")


def require_trained(name: str, folder: Path | None) -> Path:
    """The folder of the weights; raises `AssetMissing`, with the command that trains them, when there is none."""
    if folder is None or not folder.is_dir():
        raise AssetMissing(
            f"reconstructor {name!r} is not trained in this home folder; train it with "
            f"`trinormal train-reconstructor {name}`, or with others by `trinormal compare --reconstructors {name},...`"
        )
    return folder


def require_meshes(name: str, folder: Path | None) -> Path:
    """The folder of the meshes; raises `ConfigurationError` when none was named or it is absent."""
    if folder is None or not folder.is_dir():
        raise ConfigurationError(
            f"reconstructor {name!r}: {folder or 'no folder was named'}; "
            "name the folder that holds a mesh for each photo, under the photo's own relative path"
        )
    return folder
