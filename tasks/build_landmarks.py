"""Fills one shard of detected landmarks; runs in a worker process."""

from pathlib import Path

import numpy as np

from models.errors import PhotoError
from models.photos.analysis import analyse, load_face_nets
from models.photos.decoding import read_photo
from models.types import Failure
from tasks.build_crops import read_crop_rows
from tasks.files import save_array, write_table


def build_landmarks(folder: Path, crops: Path, root: Path, assets: Path) -> None:
    """`landmarks.npy` (n, 468, 3) in pixels of each photo of a shard of crops; NaN, and a row of why, for no face."""
    nets = load_face_nets(assets)
    rows = read_crop_rows(crops)
    found = np.full((len(rows), 468, 3), np.nan, dtype=np.float32)
    failed: list[Failure] = []
    for number, row in enumerate(rows):
        try:
            found[number] = analyse(read_photo(root / row.path), nets.detector, nets.landmarks).landmarks
        except PhotoError as error:
            failed.append(Failure(row.path, str(error).replace(f"{root}/", "")))
    save_array(folder / "landmarks.npy", found)
    write_table(folder / "failures.csv", Failure._fields, failed)
