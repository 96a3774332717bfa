"""One file as a picture, to see what it is: a photo with the points found in it, a scan as its normals will be."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.files import atomic_write_bytes
from models.errors import AssetMissing, DataError, PhotoError
from models.photos.alignment import align_photo
from models.photos.analysis import PhotoFace, analyse, load_face_nets
from models.photos.decoding import read_photo
from models.readers.folder import PHOTO_SUFFIXES, scan_suffixes
from models.readers.listing import suffix_of
from models.types import Photo
from tasks.encode import encoded
from tasks.reconstruct import png

SIDE_PX = 448
WIDEST = 4
_GREEN, _RED = (60, 220, 60), (255, 40, 40)


def preview(path: Path, out: Path, assets: Path) -> str:
    """Write a picture of a photo or scan to `out`; returns a line that says what is on it.

    `assets` is where the face networks are; without them, and without a face, the photo alone is drawn. Raises
    `DataError` on a file of another kind, one that cannot be read, or a scan without a face.
    """
    suffix = suffix_of(path.name)
    if suffix in PHOTO_SUFFIXES:
        picture, told = _photo(path, assets)
    elif suffix in scan_suffixes():
        made = encoded(path)
        picture, told = made.sheet(), f"range image, Nx, Ny, Nz; {made.report.icp_rmse_mm:.2f} mm from the template"
    else:
        known = ", ".join(sorted(PHOTO_SUFFIXES | scan_suffixes()))
        raise DataError(f"{path}: neither a photo nor a scan; {known} are read")
    atomic_write_bytes(out, picture)
    return told


def _photo(path: Path, assets: Path) -> tuple[bytes, str]:
    photo = read_photo(path)
    height, width = photo.pixels.shape[:2]
    try:
        nets = load_face_nets(assets)
        face = analyse(photo, nets.detector, nets.landmarks)
    except (AssetMissing, PhotoError) as error:
        reason = str(error).replace(f"{path}: ", "")
        return png(_fitted(photo.pixels)[0]), f"{width} x {height} pixels, no points: {reason}"
    crop = align_photo(photo, face.points, SIDE_PX).pixels
    told = f"{width} x {height} pixels, face with score {face.detection.score:.2f} and its points; aligned beside it"
    return png(np.hstack([_with_points(photo, face), crop])), told


def _with_points(photo: Photo, face: PhotoFace) -> UInt8[ndarray, "s t 3"]:
    """The photo at the sheet's height, the 468 points green, the five that align it red, the face's box around them."""
    shown, scale = _fitted(photo.pixels)

    def place(point: ndarray) -> tuple[int, int]:
        x, y = (point[:2] + 0.5) * scale - 0.5
        return round(float(x)), round(float(y))

    for point in face.landmarks:
        cv2.circle(shown, place(point), 1, _GREEN, -1, cv2.LINE_AA)
    for point in face.points:
        cv2.circle(shown, place(point), 4, _RED, -1, cv2.LINE_AA)
    low, high = face.detection.box.reshape(2, 2)
    cv2.rectangle(shown, place(low), place(high), _RED, 1, cv2.LINE_AA)
    return shown


def _fitted(pixels: UInt8[ndarray, "h w 3"]) -> tuple[UInt8[ndarray, "s t 3"], float]:
    """The photo as large as the sheet is high, grey below one that is very wide; and how much larger that is."""
    height, width = pixels.shape[:2]
    scale = min(SIDE_PX / height, WIDEST * SIDE_PX / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    drawn = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.pad(drawn, ((0, SIDE_PX - size[1]), (0, 0), (0, 0)), constant_values=128), scale
