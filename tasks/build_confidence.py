"""Fills one shard of C-Net's confidences; runs in a worker process."""

from pathlib import Path

import numpy as np

from models.reconstructors.crops import in_batches
from models.reconstructors.rnet_stored import load_cnet, load_rnet
from models.training.device import DeviceName, pick_device
from tasks.build_faces import face_photos
from tasks.files import save_array

PHOTOS_AT_ONCE = 64


def build_confidence(
    folder: Path, device: DeviceName, root: Path, crops: Path, pixels: int, faces: Path, rnet: Path, cnet: Path
) -> None:
    """`confidence.npy` (n, a): how far each identity coefficient of each face in the shard `faces` is to be trusted."""
    pooled = load_cnet(cnet, load_rnet(rnet))
    kept = set(np.load(faces / "rows.npy", allow_pickle=False).tolist())
    photos = face_photos(root, crops, pixels, None)
    wanted = (photo for number, photo in enumerate(photos) if number in kept)
    blocks = [np.zeros((0, pooled.confidence.outer.out_features), np.float32)]
    for batch in in_batches(wanted, PHOTOS_AT_ONCE):
        crop = np.stack([photo.aligned(pooled.rnet.crop_px).pixels.transpose(2, 0, 1) for photo in batch])
        blocks.append(pooled.views(crop, pick_device(device)).confidence)
    save_array(folder / "confidence.npy", np.concatenate(blocks))
