"""Small data sets on disk for tests of snapshots."""

import time
from pathlib import Path

import cv2
import numpy as np

from models.readers.kdef import write_kdef
from models.readers.meshes_out import write_obj
from models.types import Scan

BROKEN = b"\xff\xd8\xff\xe0 not much of a JPEG"


def photo_folder(root: Path, people: int = 2, photos: int = 3) -> Path:
    for number in range(people * photos):
        path = root / f"p{number // photos}" / f"{number % photos}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number))
    return root


def picture(number: int, suffix: str = ".png") -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (70, 80, 3), dtype=np.uint8)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def scan_folder(root: Path) -> Path:
    """Two people's meshes, one file cut short, and a texture beside the first."""
    for name in ("anna/1.obj", "anna/2.obj", "berta/1.obj"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(write_obj(bowl(len(name))))
    whole = (root / "anna/2.obj").read_bytes()
    (root / "anna/2.obj").write_bytes(whole[: len(whole) // 2].rsplit(b"\n", 1)[0] + b"\nv 0 0\n")
    (root / "anna/1.png").write_bytes(picture(1))
    return root


def bowl(seed: int = 0) -> Scan:
    x, y = np.meshgrid(np.arange(-40.0, 41, 10), np.arange(-40.0, 41, 10))
    z = -(x**2 + y**2) / 50 + np.random.default_rng(seed).normal(0, 0.1, x.shape)
    at = np.arange(81).reshape(9, 9)
    squares = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], -1).reshape(-1, 4)
    triangles = np.concatenate([squares[:, [0, 1, 2]], squares[:, [0, 2, 3]]]).astype(np.int32)
    return Scan(np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32), triangles)


def kdef_folder(root: Path, angles: tuple[str, ...] = ("S", "HL")) -> Path:
    """One person in both sessions; the last photo is black, as four of the published ones are."""
    for number, (session, angle) in enumerate((session, angle) for session in "AB" for angle in angles):
        write_kdef(root, session, "F01", "NE", angle, picture(number, ".jpg"))
    black = cv2.imencode(".jpg", np.zeros((70, 80, 3), np.uint8))[1].tobytes()
    write_kdef(root, "B", "F01", "HA", "S", black)
    return root


def wait_for_the_clock(path: Path) -> None:
    """Until the file system's clock has moved on from the last change of a file."""
    changed = path.stat().st_ctime_ns
    probe = path.with_name(".clock")
    while True:
        probe.write_text("")
        moved = probe.stat().st_ctime_ns > changed
        probe.unlink()
        if moved:
            return
        time.sleep(0.002)
