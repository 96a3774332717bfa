"""Embeddings by an exported graph, without torch: bytes of normal images in, three unit vectors out."""

import numpy as np
import onnxruntime
from jaxtyping import Float32, UInt8
from numpy import ndarray

from models.export.onnx import INPUTS, OUTPUTS
from models.networks.preprocessing import CENTRE, SCALE

Three = tuple[Float32[ndarray, "n d"], Float32[ndarray, "n d"], Float32[ndarray, "n d"]]


def embed_normals(
    session: onnxruntime.InferenceSession, images: UInt8[ndarray, "n 3 h w"], batch_size: int = 64
) -> Three:
    """Embeddings of Nx, Ny and Nz of every image."""
    parts: list[list[ndarray]] = []
    for start in range(0, len(images), batch_size):
        given = graph_inputs(images[start : start + batch_size])
        parts.append([np.asarray(found) for found in session.run(list(OUTPUTS), given)])
    if not parts:
        nothing = np.empty((0, 0), np.float32)
        return nothing, nothing, nothing
    x, y, z = (np.concatenate(axis) for axis in zip(*parts, strict=True))
    return x, y, z


def graph_inputs(images: UInt8[ndarray, "n 3 h w"]) -> dict[str, Float32[ndarray, "n 1 h w"]]:
    """Nx, Ny and Nz in the values of `preprocessing.scale_pixels`, under the names of the graph's inputs."""
    values = (images.astype(np.float32) - np.float32(CENTRE)) / np.float32(SCALE)
    return {name: values[:, axis : axis + 1] for axis, name in enumerate(INPUTS)}
