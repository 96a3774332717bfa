"""The fixed input and its answers: the same every time, and any other graph, output or number is told apart."""

import math

import numpy as np
import onnxruntime
import pytest

from models.errors import ArtefactError
from models.export.latency import measure_latency
from models.export.smoke import SHOWN, answers, fixed_inputs, require_same
from tests.registry.promotions import graph


def session(scale: float) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(graph(scale).SerializeToString(), providers=["CPUExecutionProvider"])


def test_the_fixed_input_is_one_row_of_each_input_and_never_changes():
    first, again = fixed_inputs(session(1.0)), fixed_inputs(session(2.0))
    assert {name: (value.shape, value.dtype) for name, value in first.items()} == {
        "nx": ((1, 4), np.float32),
        "ny": ((1, 4), np.float32),
    }
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
    np.testing.assert_allclose(first["nx"][0], [0.27392337, -0.46042657, -0.91805295, -0.96694473], rtol=1e-6)


def test_the_answers_are_what_the_graph_makes_of_it():
    given = fixed_inputs(session(3.0))
    found = answers(graph(3.0).SerializeToString())
    np.testing.assert_allclose(found["embedding"], 3 * (given["nx"] + given["ny"])[0], rtol=1e-6)
    assert len(found["embedding"]) <= SHOWN


def test_another_graph_another_output_or_a_number_that_is_none_is_told_apart():
    said = answers(graph(1.0).SerializeToString())
    assert require_same(answers(graph(1.0).SerializeToString()), said) == 0
    assert require_same(answers(graph(1.00001).SerializeToString()), said) > 0
    with pytest.raises(ArtefactError, match="away from what it said"):
        require_same(answers(graph(1.01).SerializeToString()), said)
    with pytest.raises(ArtefactError, match="not as registered"):
        require_same({"other": said["embedding"]}, said)
    with pytest.raises(ArtefactError, match="not as registered"):
        require_same({"embedding": said["embedding"][:3]}, said)
    with pytest.raises(ArtefactError, match="away from what it said"):
        require_same({"embedding": [math.nan] * 4}, said)


def test_what_is_no_graph_gives_no_answer():
    with pytest.raises(ArtefactError):
        answers(b"\x80\x04cposix\nsystem\n")


def test_latency_counts_its_runs_and_orders_its_quantiles():
    found = measure_latency(graph(1.0).SerializeToString(), runs=20)
    assert found.runs == 20
    assert 0 < found.p50_ms <= found.p99_ms
