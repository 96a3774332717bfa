"""What is known of simulated photos, kept beside the data set and never in it."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infra.files import atomic_write_bytes
from models.faceworld.photos import MadePhoto


def write_truth(path: Path, made: Sequence[MadePhoto], **common: Any) -> None:
    """An `.npz` file, a row a photo: coefficients, pose (three angles, translation), focal length, five points.

    `common` are arrays of what holds for all of them.
    """
    buffer = io.BytesIO()
    np.savez(
        buffer,
        identity=np.stack([photo.identity for photo in made]),
        expression=np.stack([photo.expression for photo in made]),
        pose=np.array([[*photo.pose[:3], *photo.pose.translation_mm] for photo in made], dtype=np.float64),
        focal_px=np.array([photo.focal_px for photo in made], dtype=np.float64),
        five_points=np.stack([photo.five_points for photo in made]),
        **common,
    )
    atomic_write_bytes(path, buffer.getvalue())
