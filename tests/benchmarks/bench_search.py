"""Fused three-axis search beside three plain matrix products and three faiss flat indices, in one run.

The gallery is searched in memory and, since one may be larger than that, from a file a block at a time.
`python -m tests.benchmarks.bench_search` prints pairs per second and the ratio to the plain products, by the clock and
by the processor time of all threads; only the latter says much on a machine with neighbours. The rounds are interleaved
and the best of each is taken.
"""

import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.metrics.identification import fused_search

GALLERY, PROBES, FEATURES, ROUNDS = 8_192, 2_048, 512, 7


def features(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random unit vectors, one array an axis."""
    x, y, z = (generator.normal(size=(count, FEATURES)).astype(np.float32) for _ in range(3))
    return tuple(a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y, z))  # type: ignore[return-value]


def plain_products(gallery: tuple[np.ndarray, ...], probe: tuple[np.ndarray, ...]) -> Callable[[], object]:
    """Three matrix products of the whole problem into ready memory: no distance, no search."""
    out = np.empty((len(probe[0]), len(gallery[0])), np.float32)
    return lambda: [np.matmul(p, g.T, out=out) for g, p in zip(gallery, probe, strict=True)]


def faiss_flat(gallery: tuple[np.ndarray, ...], probe: tuple[np.ndarray, ...]) -> Callable[[], object]:
    """The nearest scan on each axis alone: faiss cannot add the distances up, so it does less than asked."""
    faiss = import_module("faiss")
    indices = [faiss.IndexFlatL2(FEATURES) for _ in gallery]
    for index, array in zip(indices, gallery, strict=True):
        index.add(array)
    return lambda: [index.search(array, 1) for index, array in zip(indices, probe, strict=True)]


def from_disk(gallery: tuple[np.ndarray, ...], folder: Path) -> tuple[np.ndarray, ...]:
    """The same gallery as memory maps: only the block that is searched is in memory."""
    for number, array in enumerate(gallery):
        np.save(folder / f"{number}.npy", array)
    return tuple(np.load(folder / f"{number}.npy", mmap_mode="r") for number in range(len(gallery)))


class Row(NamedTuple):
    """A contender: million pairs a second, and its speed relative to the three plain products."""

    name: str
    mpairs_per_s: float
    by_clock: float
    by_processor: float


def run(folder: Path) -> list[Row]:
    """All contenders on the same features."""
    generator = np.random.default_rng(0)
    gallery, probe = features(GALLERY, generator), features(PROBES, generator)
    stored = from_disk(gallery, folder)
    contenders: dict[str, Callable[[], object]] = {
        "three plain products": plain_products(gallery, probe),
        "fused search (ours)": lambda: fused_search(gallery, probe),
        "the same, from a file": lambda: fused_search(stored, probe),
    }
    if find_spec("faiss") is not None:
        contenders["faiss IndexFlatL2 x3"] = faiss_flat(gallery, probe)
    clock, processor = (dict.fromkeys(contenders, float("inf")) for _ in range(2))
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            start, spent = time.perf_counter(), time.process_time()
            work()
            clock[name] = min(clock[name], time.perf_counter() - start)
            processor[name] = min(processor[name], time.process_time() - spent)
    plain, pairs = "three plain products", GALLERY * PROBES / 1e6
    return [
        Row(name, pairs / clock[name], clock[plain] / clock[name], processor[plain] / processor[name])
        for name in contenders
    ]


if __name__ == "__main__":
    print(f"{'':24s} {'Mpairs/s':>8s} {'by clock':>9s} {'by CPU':>7s}   (speed relative to the plain products)")
    with tempfile.TemporaryDirectory() as folder:
        for row in run(Path(folder)):
            print(f"{row.name:24s} {row.mpairs_per_s:8.1f} {row.by_clock:9.2f} {row.by_processor:7.2f}")
