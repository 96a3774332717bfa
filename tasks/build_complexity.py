"""Times one part of recognition and weighs it; each part runs in a process of its own."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from infra.resources import PeakMemory
from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import Cleaning
from models.geometry.range_image import Grid
from models.geometry.template import template_from
from models.morphable.builtin import load_face
from models.networks.sphere20 import Sphere20
from models.readers.scans import read_scan
from models.reconstructors.encoding import face_footprint, normal_bytes
from models.types import Scan
from tasks.fit_sphere20 import open_sphere20

WARM_UP = 5


class Part(NamedTuple):
    """Seconds of one run (the median), and the most memory (MB) of the process, interpreter and libraries included."""

    seconds: float
    peak_mb: float


def measured_alone(part: Callable[..., Part], *arguments: object) -> Part:
    """`part(*arguments)` in a new process, so that nothing another part loaded is weighed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(part, *arguments).result()


def branches_in_turn(folders: list[Path], runs: int) -> Part:
    """Forward passes of one image through each network, one after the other, on one thread."""

    def prepare() -> Callable[[], object]:
        networks = _networks(folders)
        image = _image(networks[0])
        return lambda: [network(image) for network in networks]

    return _measure(prepare, runs)


def branches_together(folders: list[Path], runs: int) -> Part:
    """The same, each network in a thread of its own."""

    def prepare() -> Callable[[], object]:
        networks = _networks(folders)
        image = _image(networks[0])
        pool = ThreadPoolExecutor(len(networks))
        return lambda: list(pool.map(partial(_forward, image), networks))

    return _measure(prepare, runs)


def exported_graph(path: Path, runs: int) -> Part:
    """The exported graph of all branches, one image, on all cores: what is served."""

    def prepare() -> Callable[[], object]:
        session = load_session(path)
        side = int(session.get_inputs()[0].shape[-1])
        images = np.full((1, 3, side, side), 128, np.uint8)
        return lambda: embed_normals(session, images)

    return _measure(prepare, runs)


def cleaned_scans(paths: list[Path], grid: list[float], crop_radius_mm: float, cleaning: dict[str, Any]) -> Part:
    """From the file of a raw scan to its normal component images, once for each of `paths`."""

    def prepare() -> Callable[[], object]:
        face, lattice, how = load_face(), Grid(int(grid[0]), int(grid[1]), grid[2]), Cleaning(**cleaning)
        template = template_from(Scan(face.template, face.triangles))
        footprint = face_footprint(face, lattice, crop_radius_mm)
        waiting = iter([*paths[:1] * WARM_UP, *paths])

        def clean() -> object:
            scan = read_scan(next(waiting))
            image, _ = canonical_range_image(scan, template, lattice, radius_mm=crop_radius_mm, cleaning=how)
            return normal_bytes(image, footprint)

        return clean

    return _measure(prepare, len(paths))


def _measure(prepare: Callable[[], Callable[[], object]], runs: int) -> Part:
    torch.set_num_threads(1)
    with PeakMemory(interval_s=0.02) as memory, torch.inference_mode():
        work = prepare()
        for _ in range(WARM_UP):
            work()
        seconds = [_timed(work) for _ in range(runs)]
    return Part(float(np.median(seconds)), memory.peak_mb)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _networks(folders: list[Path]) -> list[Sphere20]:
    return [open_sphere20(folder) for folder in folders]


def _image(network: Sphere20) -> torch.Tensor:
    return torch.zeros(1, network.shape.channels_in, *network.shape.image_size)


def _forward(image: torch.Tensor, network: Sphere20) -> torch.Tensor:
    with torch.inference_mode():  # a thread's own
        return network(image)
