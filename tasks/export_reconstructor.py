"""The reconstructor that a model was trained with, as a graph that travels in the model's package."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.store import Artefact
from models.export.reconstructor import (
    DISTANCE,
    ExpNetFaces,
    RNetFaces,
    export_reconstructor,
    reconstructor_parity,
)
from models.export.weights import save_plain_weights
from models.reconstructors.expnet import USUAL_DISTANCE_MM
from models.reconstructors.rnet_stored import load_cnet, load_rnet
from models.reconstructors.stored import crop_pixels, load_expnet
from tasks.files import write_json
from tasks.stages import make
from tasks.variants import Variant
from tasks.wiring import Workspace

GRAPH, WEIGHTS, PARITY = "reconstructor.onnx", "reconstructor.safetensors", "reconstructor_parity.json"
EXPORTED = ("expnet", "rnet")
"""Others have no network (landmarks, external meshes), or one whose graph is not exported yet (texface)."""


def reconstructor_files(
    workspace: Workspace, variant: Variant, crops: Sequence[Path], cnet: Artefact | None = None
) -> dict[str, Path]:
    """Graph, weights and parity of a trained reconstructor (with its C-Net), by their names in a package.

    `crops` are files of aligned crops (n, 3, s, s) to compare on. Nothing for reconstructors that are not `EXPORTED`.
    """
    if variant.artefact is None or variant.name not in EXPORTED:
        return {}
    source = variant.artefact

    def build(folder: Path, _: Path) -> None:
        module, pixels, notes = _module(variant.name, source.path, cnet)
        proto = export_reconstructor(module, pixels, {"trinormal.reconstructor": variant.version, **notes})
        (folder / GRAPH).write_bytes(proto.SerializeToString(deterministic=True))
        save_plain_weights(folder / WEIGHTS, module)
        write_json(folder / PARITY, reconstructor_parity(proto, module, _some(crops, pixels)))

    inputs = [source, *([cnet] if cnet is not None else [])]
    made = make(workspace, "reconstructor-onnx", inputs, {}, ["tasks.export_reconstructor"], build)
    return {name: made.path / name for name in (GRAPH, WEIGHTS, PARITY)}


def _module(name: str, folder: Path, cnet: Artefact | None) -> tuple[ExpNetFaces | RNetFaces, int, dict[str, str]]:
    """The network as it is exported, the side of its crops, and what its metadata say of its coefficients."""
    if name == "expnet":
        net = load_expnet(folder)
        notes = {"trinormal.space": net.face.space, DISTANCE: f"{USUAL_DISTANCE_MM:g}"}
        return ExpNetFaces(net.network, net.layout), crop_pixels(folder), notes
    rnet = load_rnet(folder)
    confidence = None if cnet is None else load_cnet(cnet.path, rnet).confidence
    notes = {"trinormal.space": rnet.space, DISTANCE: f"{rnet.layout.usual_distance_mm:g}"}
    return RNetFaces(rnet.network, rnet.layout, confidence), rnet.crop_px, notes


def _some(crops: Sequence[Path], pixels: int) -> UInt8[ndarray, "n 3 s s"]:
    """The first crops there are, or grey ones."""
    for path in crops:
        found = np.load(path, mmap_mode="r", allow_pickle=False)[:16]
        if len(found):
            return np.array(found)
    return np.full((1, 3, pixels, pixels), 127, np.uint8)
