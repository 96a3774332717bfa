"""Normal component images as bytes: Nx, Ny and Nz as three planes, 0 for the background."""

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from models.types import NormalImages


def encode_normals(images: NormalImages) -> UInt8[ndarray, "3 h w"]:
    """127.5 (n + 1) rounded, within 1..255 so that 0 always means "no surface here"."""
    planes = np.rint(127.5 * (np.moveaxis(images.normals, -1, 0) + 1))
    return np.where(images.valid, np.clip(planes, 1, 255), 0).astype(np.uint8)


def decode_normals(planes: UInt8[ndarray, "3 h w"]) -> NormalImages:
    """Inverse of `encode_normals` to within half a step (1/255) a component; unit length again."""
    valid = np.asarray((planes > 0).all(axis=0))
    normals = np.moveaxis(planes, 0, -1).astype(np.float32) / np.float32(127.5) - np.float32(1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return NormalImages(np.where(valid[..., None], normals, np.float32(0)), valid)
