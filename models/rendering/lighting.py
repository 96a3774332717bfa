"""Shading by second-order spherical harmonics (paper B, eq. 3; Ramamoorthi & Hanrahan 2001, eq. 3)."""

from typing import TypeVar

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

Array = TypeVar("Array", ndarray, Tensor)

CONSTANT = 0.282095
LINEAR = 0.488603
PRODUCT = 1.092548
ZONAL = 0.315392
DIFFERENCE = 0.546274


def _terms(x: Array, y: Array, z: Array) -> list[Array]:
    return [
        CONSTANT + 0 * x,
        LINEAR * y,
        LINEAR * z,
        LINEAR * x,
        PRODUCT * x * y,
        PRODUCT * y * z,
        ZONAL * (3 * z * z - 1),
        PRODUCT * x * z,
        DIFFERENCE * (x * x - y * y),
    ]


def sh_basis(normals: Array) -> Array:
    """Nine real harmonics of unit normals, "... 3" to "... 9", for NumPy arrays and torch tensors alike.

    Order: 1; y, z, x; xy, yz, 3z^2-1, xz, x^2-y^2. The cosine lobe of a diffuse surface is not folded in.
    """
    if isinstance(normals, Tensor):
        return torch.stack(_terms(normals[..., 0], normals[..., 1], normals[..., 2]), dim=-1)
    return np.stack(_terms(normals[..., 0], normals[..., 1], normals[..., 2]), axis=-1)


def shade(albedo: Array, normals: Array, gamma: Array) -> Array:
    """Colour "... 3" of a surface of `albedo` "... 3" with unit `normals` "... 3" under the light `gamma` "9 3"."""
    return albedo * (sh_basis(normals) @ gamma)
