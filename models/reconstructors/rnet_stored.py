"""A trained R-Net, and the C-Net on top of it, in a folder: safetensors, and JSON to build the networks again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.files import atomic_write_json
from models.errors import ArtefactError
from models.morphable.textured import load_textured_face
from models.networks.cnet import CNet
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.cnet import PooledRNet
from models.reconstructors.crops import FromCrops
from models.reconstructors.protocol import Reconstructor, require_trained
from models.reconstructors.rnet import RNet
from models.training.safetensor_files import load_weights, save_weights, tensors_digest

WEIGHTS, SHAPE = "weights.safetensors", "shape.json"
CONFIDENCE_WEIGHTS, CONFIDENCE_SHAPE = "confidence.safetensors", "confidence.json"


def save_rnet(folder: Path, network: RNetwork, layout: RNetLayout, depth: int, width: float, pixels: int) -> None:
    """Write weights and shape; `pixels` is the side of the crops it was trained on."""
    save_weights(folder / WEIGHTS, network)
    shape = {"depth": depth, "width": width, "pixels": pixels, "layout": asdict(layout)}
    atomic_write_json(folder / SHAPE, shape)


def load_rnet(folder: Path) -> RNet:
    """The network on the built-in face, ready to use; raises `ArtefactError` when the folder does not hold one."""
    shape = _read(folder / SHAPE, "R-Net")
    try:
        layout = RNetLayout(**shape["layout"])
        network = RNetwork(int(shape["depth"]), float(shape["width"]), layout.size)
        pixels = int(shape["pixels"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"{folder / SHAPE}: not the shape of an R-Net ({error}); train one again") from error
    load_weights(folder / WEIGHTS, network)
    face = load_textured_face(layout.identity, layout.expression, layout.texture)
    return RNet(network, face, layout, pixels)


def open_rnet(folder: Path | None) -> Reconstructor:
    """The R-Net in `folder`; raises `AssetMissing` when not trained and `ArtefactError` when damaged."""
    return FromCrops(load_rnet(require_trained("rnet", folder)))


def save_cnet(folder: Path, confidence: CNet, network: RNetwork) -> None:
    """Write a C-Net and the name of the R-Net, by the hash of its weights, whose features it was trained on."""
    save_weights(folder / CONFIDENCE_WEIGHTS, confidence)
    shape = {
        "features": confidence.inner.in_features,
        "hidden": confidence.inner.out_features,
        "identity": confidence.outer.out_features,
        "rnet": tensors_digest(network.state_dict()),
    }
    atomic_write_json(folder / CONFIDENCE_SHAPE, shape)


def load_cnet(folder: Path, rnet: RNet) -> PooledRNet:
    """The C-Net in `folder` on its R-Net; raises `ArtefactError` when there is none, or it belongs to another R-Net."""
    shape = _read(folder / CONFIDENCE_SHAPE, "C-Net")
    if shape.get("rnet") != tensors_digest(rnet.network.state_dict()):
        raise ArtefactError(f"{folder}: its C-Net was trained on the features of another R-Net; train it again")
    confidence = CNet(int(shape["features"]), int(shape["identity"]), int(shape["hidden"]))
    load_weights(folder / CONFIDENCE_WEIGHTS, confidence)
    return PooledRNet(rnet, confidence)


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path.parent}: holds no trained {what} ({error}); train one again") from error
