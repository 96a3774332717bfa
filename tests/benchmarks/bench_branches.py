"""Sphere20 on one core: PyTorch, the exported graph, and its 8-bit twin, side by side in one run.

`python -m tests.benchmarks.bench_branches` prints images a second of one branch and the ratio to the best 32-bit peer,
by the processor time. Networks are drawn anew: their speed does not depend on what they have learnt.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray

from models.export.embedding import graph_inputs
from models.export.onnx import OUTPUTS, export_fused, load_session
from models.export.quantisation import quantise
from models.networks.fused import FusedBranches
from models.networks.preprocessing import scale_pixels, use_channels_last
from models.networks.sphere20 import Sphere20

SIZES = {"paper": (1.0, (112, 96), 8), "demo": (0.25, (56, 56), 32)}
ROUNDS = 5


class Row(NamedTuple):
    """A contender: images a second of one branch, relative to the best of 32 bits, and megabytes of all three."""

    name: str
    images_per_s: float
    ratio: float
    megabytes: float


def images(count: int, height: int, width: int) -> UInt8[ndarray, "n 3 h w"]:
    """Waves in three channels: smooth, as normal images are."""
    draw = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0:width] / height
    angles, shifts = draw.uniform(0, 7, (2, count, 3, 1, 1))
    waves = np.sin(6 * (np.cos(angles) * rows + np.sin(angles) * columns) + shifts)
    return np.uint8(np.round(127.5 * (waves + 1)))


def run(width: float, size: tuple[int, int], batch: int) -> list[Row]:
    """All contenders on the same images."""
    torch.manual_seed(0)
    branches = [Sphere20(1, width, size, batch_norm=True) for _ in range(3)]
    fused = FusedBranches(*branches).eval()
    proto, given = export_fused(fused), images(batch, *size)
    graphs = {"ONNX Runtime": proto, "ONNX Runtime, 8 bits (ours)": quantise(proto, given)}
    raw = {name: graph.SerializeToString() for name, graph in graphs.items()}
    sessions = {name: load_session(graph, threads=1) for name, graph in raw.items()}
    axes = scale_pixels(torch.from_numpy(given)).split(1, dim=1)
    use_channels_last(fused)
    work: dict[str, Callable[[], object]] = {"PyTorch, channels last": lambda: fused(*axes)}
    inputs = graph_inputs(given)
    work |= {name: (lambda each=each: each.run(list(OUTPUTS), inputs)) for name, each in sessions.items()}
    best = dict.fromkeys(work, float("inf"))
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for name, call in work.items():
                start = time.process_time()
                call()
                best[name] = min(best[name], time.process_time() - start)
    speed = {name: 3 * batch / seconds for name, seconds in best.items()}
    peer = max(value for name, value in speed.items() if "8 bits" not in name)
    size_of = {name: len(graph) / 1e6 for name, graph in raw.items()}
    return [Row(name, value, value / peer, size_of.get(name, float("nan"))) for name, value in speed.items()]


if __name__ == "__main__":
    torch.set_num_threads(1)
    for title, (width, size, batch) in SIZES.items():
        print(f"{title}: width {width}, {size[0]} x {size[1]}")
        for row in run(width, size, batch):
            print(f"  {row.name:28s} {row.images_per_s:8.1f} images/s {row.ratio:6.2f} x {row.megabytes:8.1f} MB")
