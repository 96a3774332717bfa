"""Smaller sets of points out of the mesh's 468. Left and right are those of the image, not of the person."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

_LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
_RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
_NOSE_AND_MOUTH = (1, 61, 291)

_IBUG_68 = (
    *(127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356),  # jaw
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows
    *(168, 197, 5, 1, 98, 97, 2, 326, 327),  # bridge and base of the nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # outer lips
    *(78, 81, 13, 311, 308, 402, 14, 178),  # inner lips
)


def five_points(landmarks: Float32[ndarray, "468 3"]) -> Float32[ndarray, "5 2"]:
    """Left eye centre, right eye centre, nose tip, left and right mouth corner: VGGFace2's order and meaning; pixels.

    An eye's centre is the mean of its lids' sixteen points, so that it does not move with the gaze.
    """
    flat = landmarks[:, :2]
    eyes = [flat[list(eye)].mean(axis=0) for eye in (_LEFT_EYE, _RIGHT_EYE)]
    return np.stack([*eyes, *flat[list(_NOSE_AND_MOUTH)]]).astype(np.float32)


def landmarks68(landmarks: Float32[ndarray, "468 3"]) -> Float32[ndarray, "68 2"]:
    """The mesh points nearest to iBUG's 68, in iBUG's order; pixels.

    Approximate: the mesh has no point that means what iBUG's does. Worst on the jaw, where iBUG follows the visible
    outline while the mesh stays on the skin: they part on the far side of a turned head.
    """
    return landmarks[list(_IBUG_68), :2]
