"""Static 8-bit integers for the three branches: a quarter of the bytes, and faster on CPUs.

Convolutions and the last linear layer work on integers, the weights with a scale for each output channel. They have
seven bits: processors without VNNI add two products in sixteen bits, which eight-bit weights overflow. Ranges of
activations come from real normal images. The distances between embeddings change, so the result has to be measured.
"""

import logging
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from jaxtyping import UInt8
from numpy import ndarray
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.export.embedding import graph_inputs

OPERATORS = ("Conv", "Gemm")
BLOCK = 16


def quantise(proto: ModelProto, images: UInt8[ndarray, "n 3 h w"]) -> ModelProto:
    """The graph that `export_fused` made, in integers; `images` are bytes of normal images like those it will see."""
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        prepared, made = (Path(scratch) / name for name in ("prepared.onnx", "int8.onnx"))
        quant_pre_process(proto, str(prepared), skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(made),
            _Images(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATORS),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return _standard(onnx.load(made), proto)


class _Images(CalibrationDataReader):
    """A block of images at a time, as ONNX Runtime asks for them."""

    def __init__(self, images: UInt8[ndarray, "n 3 h w"]) -> None:
        self._blocks: Iterator[dict[str, ndarray]] = iter(
            [graph_inputs(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
        )

    def get_next(self) -> dict[str, ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride] - may end
        """Inputs of the next block, None after the last."""
        return next(self._blocks, None)


def _standard(made: ModelProto, source: ModelProto) -> ModelProto:
    """Without the operator sets that the tool names and nothing uses, and without its own name in the metadata."""
    used = {node.domain for node in made.graph.node}
    kept = [entry for entry in made.opset_import if entry.domain in used]
    del made.opset_import[:]
    made.opset_import.extend(kept)
    del made.metadata_props[:]
    made.metadata_props.extend(source.metadata_props)
    onnx.checker.check_model(made, full_check=True)
    return made


@contextmanager
def _quiet() -> Generator[None]:
    """The tool tells its own steps to the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
