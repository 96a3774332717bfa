"""Templates behind a secret rotation: all distances stay, everything else about the face is hidden.

A rotation that is drawn evenly among all (Haar) turns a unit embedding into a point drawn evenly on the sphere: without
the rotation it tells nothing, and two rotations of one embedding have nothing in common. Distances between templates
under one rotation do remain, so who has many of them sees how alike they are: they are encrypted besides.
Ratha, Connell and Bolle 2001 (cancelable biometrics); Mezzadri 2007 (drawing rotations).
"""

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from scipy.special import ndtri

BYTES_EACH = 8


def bytes_needed(length: int) -> int:
    """How many random bytes a rotation of `length` dimensions takes."""
    return length * length * BYTES_EACH


def rotation_from(random: bytes, length: int) -> Float64[ndarray, "d d"]:
    """An orthogonal matrix, evenly drawn where the bytes are; the same for the same bytes (`bytes_needed` of them)."""
    integers = np.frombuffer(random, dtype="<u8", count=length * length) >> np.uint64(11)
    normal = ndtri((integers.astype(np.float64) + 0.5) * 2.0**-53).reshape(length, length)
    q, r = np.linalg.qr(normal)
    return q * np.sign(np.diag(r))


def rotated(features: Float32[ndarray, "n d"], rotation: Float64[ndarray, "d d"]) -> Float32[ndarray, "n d"]:
    """Each row turned."""
    return (features.astype(np.float64) @ rotation.T).astype(np.float32)


def turned_back(features: Float32[ndarray, "n d"], rotation: Float64[ndarray, "d d"]) -> Float32[ndarray, "n d"]:
    """The inverse of `rotated`."""
    return (features.astype(np.float64) @ rotation).astype(np.float32)
