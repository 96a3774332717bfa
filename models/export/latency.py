"""How long a graph takes for one face, on this machine."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from onnxruntime import InferenceSession

from models.export.onnx import load_session
from models.export.smoke import fixed_inputs

WARM_UP = 10


class Latency(NamedTuple):
    """Milliseconds for one input: half of the runs took no longer, and 99 of a hundred."""

    p50_ms: float
    p99_ms: float
    runs: int


def measure_latency(graph: bytes, runs: int = 200, threads: int = 1) -> Latency:
    """Run the graph that often after a warm-up, one input at a time."""
    session = load_session(graph, threads=threads)
    given = fixed_inputs(session)
    took = [_run_ms(session, given) for _ in range(WARM_UP + runs)][WARM_UP:]
    p50, p99 = np.percentile(took, (50, 99))
    return Latency(float(p50), float(p99), runs)


def _run_ms(session: InferenceSession, given: Mapping[str, ndarray]) -> float:
    start = time.perf_counter()
    session.run(None, given)
    return 1000 * (time.perf_counter() - start)
