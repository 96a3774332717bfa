"""A trained ExpNet in a folder: weights as safetensors, and what is needed to build the network again."""

import json
from pathlib import Path

from torch import nn

from infra.files import atomic_write_json
from models.errors import ArtefactError
from models.morphable.builtin import load_face
from models.networks.expnet import CoefficientLayout, build_expnet
from models.reconstructors.expnet import ExpNet
from models.training.safetensor_files import load_weights, save_weights


def save_expnet(folder: Path, network: nn.Module, depth: int, width: float, pixels: int) -> None:
    """Write `weights.safetensors` and `shape.json`; `pixels` is the side of the crops it was trained on."""
    save_weights(folder / "weights.safetensors", network)
    atomic_write_json(folder / "shape.json", {"depth": depth, "width": width, "pixels": pixels})


def crop_pixels(folder: Path) -> int:
    """The side of the crops that the stored network takes."""
    return int(_shape(folder)["pixels"])


def load_expnet(folder: Path) -> ExpNet:
    """The network, ready to use; raises `ArtefactError` when the folder does not hold one."""
    shape = _shape(folder)
    layout = CoefficientLayout()
    network = build_expnet(int(shape["depth"]), float(shape["width"]), layout.size)
    load_weights(folder / "weights.safetensors", network)
    return ExpNet(network, load_face(), layout)


def _shape(folder: Path) -> dict[str, int | float]:
    try:
        return json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{folder}: holds no trained ExpNet ({error}); train one again") from error
