"""Photo files to RGB arrays and back; a bad file is refused with its reason, never half decoded."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from models.errors import PhotoError
from models.photos.headers import MAX_FILE_BYTES, read_header
from models.types import Photo


def read_photo(path: Path) -> Photo:
    """Decode a JPEG, PNG, BMP, PGM or PPM file to upright RGB, grey becoming three equal channels.

    The EXIF orientation is applied. Size, count of pixels and wholeness are checked before decoding. Raises
    `PhotoError` naming the file and the reason. Flipped bits inside a JPEG's entropy-coded data cannot be told
    from picture and are not noticed.
    """
    return decode_photo(read_photo_bytes(path), str(path))


def decode_photo(raw: bytes, path: str) -> Photo:
    """`read_photo` of the bytes of a file that has been read already."""
    header = read_header(raw, path)
    try:
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
    except (cv2.error, MemoryError) as error:
        raise PhotoError(
            f"{path}: the {header.kind} decoder gave up ({type(error).__name__}); export it again"
        ) from error
    if pixels is None:
        raise PhotoError(f"{path}: its {header.kind} data cannot be decoded; export it again")
    if pixels.dtype != np.uint8 or sorted(pixels.shape[:2]) != sorted((header.width, header.height)):
        raise PhotoError(f"{path}: decodes to another size than its header states; export it again")
    return Photo(pixels=pixels, path=path)


def encode_jpeg(pixels: UInt8[ndarray, "h w 3"], quality: int) -> bytes:
    """JPEG bytes of an RGB image; `quality` is 1-100."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise PhotoError(f"an image of {pixels.shape[1]} x {pixels.shape[0]} pixels cannot be stored as JPEG")
    return encoded.tobytes()


def read_photo_bytes(path: Path) -> bytes:
    """The bytes of a photo file; raises `PhotoError` when it is absent, unreadable or above 64 MB."""
    try:
        if not path.is_file():  # also keeps pipes and devices from blocking
            raise PhotoError(f"{path}: no such file; check the path")
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PhotoError(f"{path}: cannot be read ({error}); check its permissions") from error
    if len(raw) > MAX_FILE_BYTES:
        raise PhotoError(f"{path}: larger than {MAX_FILE_BYTES // 2**20} MB; make it smaller")
    return raw
