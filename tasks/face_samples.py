"""What is kept of an enrolled photo or scan: just what any later model needs to see the face again, as bytes."""

import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.errors import ArtefactError, DataError
from models.photos.analysis import FaceNets, analyse
from models.photos.decoding import read_photo
from models.readers.folder import PHOTO_SUFFIXES, scan_suffixes
from models.readers.listing import suffix_of
from models.readers.scans import read_scan
from models.reconstructors.protocol import FacePhoto, from_analysis
from models.types import Scan

Sample = Scan | FacePhoto
Kind = Literal["scan", "photo"]
MARGIN = 1.0
"""How much of a photo is kept around its face, as a share of the face's own width and height."""
NAMELESS = "sample"
"""The path of a face whose photo is not to be known."""


def kind_of(path: Path) -> Kind:
    """Whether a file is a photo or a scan, by its ending; raises `DataError` where it is neither."""
    suffix = suffix_of(path.name)
    if suffix in PHOTO_SUFFIXES:
        return "photo"
    if suffix in scan_suffixes():
        return "scan"
    known = ", ".join(sorted(PHOTO_SUFFIXES | scan_suffixes()))
    raise DataError(f"{path}: neither a photo nor a scan; {known} are read")


def read_sample(path: Path, nets: FaceNets | None) -> Sample:
    """The scan without colours, or the face of the photo with what lies around it; `nets` find faces in photos.

    Raises `ScanError` or `PhotoError` where the file gives nothing: a failure to acquire.
    """
    if kind_of(path) == "scan" or nets is None:
        scan = read_scan(path)
        return Scan(scan.vertices, scan.triangles)
    photo = read_photo(path)
    return _face_only(from_analysis(photo, analyse(photo, nets.detector, nets.landmarks), NAMELESS))


def pack(sample: Sample) -> bytes:
    """A sample as compressed safetensors; equal samples give equal bytes."""
    if isinstance(sample, Scan):
        parts: dict[str, ndarray] = {"vertices": sample.vertices, "triangles": sample.triangles}
    else:
        parts = {"pixels": sample.pixels, "points": sample.points, "landmarks": _known(sample)}
    return zlib.compress(save({name: np.ascontiguousarray(part) for name, part in parts.items()}), level=6)


def unpack(data: bytes) -> Sample:
    """What was packed, to the bit; raises `ArtefactError` where these bytes are something else."""
    try:
        parts = {name: part.copy() for name, part in load(zlib.decompress(data)).items()}  # what is loaded is read-only
        if "vertices" in parts:
            return Scan(parts["vertices"], parts["triangles"])
        landmarks = parts["landmarks"] if len(parts["landmarks"]) else None
        return FacePhoto(NAMELESS, None, parts["pixels"], parts["points"], landmarks)
    except (zlib.error, SafetensorError, KeyError) as error:
        raise ArtefactError(f"a kept sample cannot be read ({error}): enrol the person anew") from None


def _face_only(face: FacePhoto) -> FacePhoto:
    """The photo cut down to the face and its surroundings: other people and places are not kept."""
    seen = _known(face)[:, :2] if face.landmarks is not None else face.points
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = MARGIN * (high - low)
    bounds = np.array(face.pixels.shape[1::-1])
    first = np.clip(np.floor(low - margin), 0, bounds - 1).astype(int)
    last = np.clip(np.ceil(high + margin), first + 1, bounds).astype(int)
    pixels = np.ascontiguousarray(face.pixels[first[1] : last[1], first[0] : last[0]])
    moved = None if face.landmarks is None else (face.landmarks - np.array([*first, 0])).astype(np.float32)
    return FacePhoto(NAMELESS, None, pixels, (face.points - first).astype(np.float32), moved)


def _known(face: FacePhoto) -> Float32[ndarray, "n 3"]:
    return np.zeros((0, 3), np.float32) if face.landmarks is None else face.landmarks
