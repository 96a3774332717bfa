"""Fused three-axis search beside three plain matrix products and three faiss flat indices, in one run.

`python -m tests.benchmarks.bench_search` prints pairs per second and the ratio to the plain products. The rounds are
interleaved and the best of each is taken, so a neighbour on the machine disturbs all alike.
"""

import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

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


def run() -> list[tuple[str, float, float]]:
    """Rows (name, million pairs a second, speed relative to the three plain products)."""
    generator = np.random.default_rng(0)
    gallery, probe = features(GALLERY, generator), features(PROBES, generator)
    contenders: dict[str, Callable[[], object]] = {
        "three plain products": plain_products(gallery, probe),
        "fused search (ours)": lambda: fused_search(gallery, probe),
    }
    if find_spec("faiss") is not None:
        contenders["faiss IndexFlatL2 x3"] = faiss_flat(gallery, probe)
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    pairs = GALLERY * PROBES / 1e6
    return [(name, pairs / seconds, best["three plain products"] / seconds) for name, seconds in best.items()]


if __name__ == "__main__":
    for name, speed, ratio in run():
        print(f"{name:24s} {speed:8.1f} Mpairs/s  {ratio:5.2f} of the plain products")
