"""How many images a second graphs embed, measured side by side so that their ratio carries."""

import time
from collections.abc import Mapping

from jaxtyping import UInt8
from numpy import ndarray

from models.export.embedding import graph_inputs
from models.export.onnx import OUTPUTS, load_session


def images_per_second(
    graphs: Mapping[str, bytes], images: UInt8[ndarray, "n 3 h w"], rounds: int = 5
) -> dict[str, float]:
    """Of each graph on one thread, all of `images` as one batch: the best of `rounds`, in which graphs take turns.

    Seconds are those of this process's CPU time: what else the machine does costs all graphs alike, or nothing.
    """
    sessions = {name: load_session(graph, threads=1) for name, graph in graphs.items()}
    given = graph_inputs(images)
    best = dict.fromkeys(sessions, float("inf"))
    for _ in range(rounds + 1):
        for name, session in sessions.items():
            start = time.process_time()
            session.run(list(OUTPUTS), given)
            best[name] = min(best[name], time.process_time() - start)
    return {name: len(images) / seconds for name, seconds in best.items()}
