"""Size and pose taken out of the sampled heads, so that the basis holds shape only."""

import numpy as np
from numpy.typing import NDArray

INTER_OCULAR_MM = 61.0


def normalise(
    heads: NDArray[np.float32], eye: NDArray[np.int8], face: NDArray[np.int64], rounds: int = 2
) -> NDArray[np.float32]:
    """Every head at the same inter-ocular distance, rigidly aligned on the face to the sample's own mean."""
    heads = heads * (INTER_OCULAR_MM / inter_ocular(heads, eye))[:, None, None].astype(np.float32)
    target = heads[0, face].astype(np.float64)
    for _ in range(rounds + 1):
        for index, head in enumerate(heads):
            rotation, shift = rigid(head[face].astype(np.float64), target)
            heads[index] = head @ rotation.T + shift
        target = heads[:, face].mean(axis=0, dtype=np.float64)
        target = _upright(target, heads[:, eye > 0].mean(axis=0), eye[eye > 0], target)
    return heads


def inter_ocular(heads: NDArray[np.floating], eye: NDArray[np.int8]) -> NDArray[np.float64]:
    """Distance between the centres of the two eyeballs, mm."""
    left, right = (heads[..., eye == label, :].mean(axis=-2, dtype=np.float64) for label in (1, 2))
    return np.linalg.norm(left - right, axis=-1)


def rigid(source: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation and shift taking `source` closest to `target`. Kabsch 1976."""
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((target - goal).T @ (source - centre))
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return rotation, goal - rotation @ centre


def _upright(
    points: NDArray[np.float64], eyes: NDArray[np.float32], label: NDArray[np.int8], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn the target so that its line between the eyes is horizontal and frontal."""
    axis = eyes[label == 1].mean(axis=0, dtype=np.float64) - eyes[label == 2].mean(axis=0, dtype=np.float64)
    x = axis / np.linalg.norm(axis)
    z = np.cross(x, [0.0, 1.0, 0.0])
    z /= np.linalg.norm(z)
    rotation = np.stack([x, np.cross(z, x), z])
    centre = target.mean(axis=0)
    return (points - centre) @ rotation.T + centre
