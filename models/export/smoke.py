"""What a graph says to one fixed input: taken down when it is registered, asked again of what serves."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy import ndarray
from onnxruntime import InferenceSession

from models.errors import ArtefactError
from models.export.onnx import PARITY_TOLERANCE, load_session

SHOWN = 16
"""So many numbers of each output are kept."""


def fixed_inputs(session: InferenceSession) -> dict[str, ndarray]:
    """One row for each input of a graph of floats, in [-1, 1): the same on every machine and in every version."""
    draw = np.random.Generator(np.random.PCG64(0))
    shapes = {each.name: [size if isinstance(size, int) else 1 for size in each.shape] for each in session.get_inputs()}
    return {name: draw.uniform(-1, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def answers(graph: bytes) -> dict[str, list[float]]:
    """The first numbers of every output for the fixed input. Raises `ArtefactError` for what is no usable graph."""
    session = load_session(graph, threads=1)
    names = [each.name for each in session.get_outputs()]
    try:
        found = session.run(names, fixed_inputs(session))
    except Exception as error:  # its errors share no narrower base
        raise ArtefactError(f"the graph does not run: {str(error).splitlines()[0]}") from error
    rows = [np.asarray(each, dtype=np.float64).ravel()[:SHOWN] for each in found]
    return {name: row.tolist() for name, row in zip(names, rows, strict=True)}


def require_same(found: Mapping[str, Sequence[float]], expected: Mapping[str, Sequence[float]]) -> float:
    """The largest difference between two answers; raises `ArtefactError` above `PARITY_TOLERANCE` or for other outputs.

    A number that is not finite is a difference.
    """
    sizes = [{name: len(values) for name, values in each.items()} for each in (found, expected)]
    if sizes[0] != sizes[1]:
        raise ArtefactError(f"answers with outputs {sorted(found)}, not as registered with {sorted(expected)}")
    gaps = [np.abs(np.subtract(found[name], expected[name])).max(initial=0.0) for name in expected]
    worst = float(np.max(gaps, initial=0.0))
    if not worst <= PARITY_TOLERANCE:
        raise ArtefactError(f"answers a fixed input {worst:.2g} away from what it said when it was registered")
    return worst
