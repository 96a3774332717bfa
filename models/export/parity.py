"""How far an exported graph is from the network it came from, over batches of different sizes and kinds."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from onnx import ModelProto
from torch import Tensor, nn

from models.errors import ArtefactError
from models.export.onnx import INPUTS, OUTPUTS, PARITY_TOLERANCE, load_session
from models.networks.fused import FusedBranches
from models.networks.preprocessing import planar_values

BATCHES = (1, 5, 16)


def fused_parity(proto: ModelProto, module: FusedBranches, real: UInt8[ndarray, "n 3 h w"]) -> dict[str, float]:
    """Largest absolute difference of embeddings, for batches of `BATCHES`, by kind: `random_5`, `real_16`, ...

    `real` are bytes of normal images; where they are fewer than a batch they come again. Raises `ArtefactError` above
    `PARITY_TOLERANCE`.
    """
    draw = torch.Generator().manual_seed(0)
    size = (1, *module.image_size)
    batches = {
        **{
            f"random_{count}": [torch.rand((count, *size), generator=draw) * 2 - 1 for _ in INPUTS] for count in BATCHES
        },
        **{f"real_{count}": _components(np.resize(real, (count, *real.shape[1:]))) for count in BATCHES if len(real)},
    }
    return differences(proto, module, batches, INPUTS, OUTPUTS)


def differences(
    proto: ModelProto,
    module: nn.Module,
    batches: Mapping[str, Sequence[Tensor]],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> dict[str, float]:
    """The largest of each batch between ONNX Runtime's outputs and torch's; see `_gap`.

    Raises `ArtefactError` above `PARITY_TOLERANCE`, or where one is not a number.
    """
    session = load_session(proto.SerializeToString())
    module = module.cpu().eval()
    found: dict[str, float] = {}
    for batch, given in batches.items():
        told = session.run(list(outputs), {name: each.numpy() for name, each in zip(inputs, given, strict=True)})
        found[batch] = float(np.max([_gap(*pair) for pair in zip(_answers(module, given), told, strict=True)]))
    worst = float(np.max(list(found.values())))
    if not worst <= PARITY_TOLERANCE:
        raise ArtefactError(f"the exported graph differs from the network by {worst:.2g}: do not use it")
    return found


def _answers(module: nn.Module, given: Sequence[Tensor]) -> list[ndarray]:
    """The network's outputs, one or several."""
    with torch.inference_mode():
        found: Tensor | Sequence[Tensor] = module(*given)
    return [each.numpy() for each in ([found] if isinstance(found, Tensor) else found)]


def _gap(ours: ndarray, theirs: object) -> float:
    """Relative to the largest number where that is above 1 (millimetres, say)."""
    return float(np.abs(ours - np.asarray(theirs)).max() / max(1.0, np.abs(ours).max()))


def _components(images: UInt8[ndarray, "n 3 h w"]) -> list[Tensor]:
    """Network values of Nx, Ny and Nz."""
    return list(planar_values(torch.from_numpy(images)).split(1, dim=1))
