"""Networks stored as LiteRT files, run on one thread."""

from pathlib import Path
from typing import Any, cast

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Float32, UInt8
from numpy import ndarray

from models.errors import AssetMissing


class LiteNetwork:
    """Image in, arrays out. Not to be shared between threads: the interpreter keeps its buffers."""

    def __init__(self, path: Path) -> None:
        """Load the network; raises `AssetMissing` when the file is absent or not a network."""
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            message = f"{path}: not a usable network; fetch the face networks with `trinormal setup`"
            raise AssetMissing(message) from error
        inputs: list[dict[str, Any]] = cast("Any", self._interpreter.get_input_details())
        outputs: list[dict[str, Any]] = cast("Any", self._interpreter.get_output_details())
        self._input: int = inputs[0]["index"]
        # by their last axis: the order of outputs is the converter's whim
        self._outputs: dict[int, int] = {int(output["shape"][-1]): output["index"] for output in outputs}

    def run(self, image: UInt8[ndarray, "s s 3"], low: float, high: float) -> dict[int, Float32[ndarray, "..."]]:
        """Outputs keyed by the size of their last axis; pixels 0-255 become `low`-`high` first."""
        scaled = image[None].astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        self._interpreter.set_tensor(self._input, scaled)
        self._interpreter.invoke()
        return {size: self._interpreter.get_tensor(index) for size, index in self._outputs.items()}
