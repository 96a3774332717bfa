"""Reconstructors as ONNX graphs: bytes of aligned crops in, the numbers of a face out, each under its name."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from onnx import ModelProto
from torch import Tensor, nn

from models.export.onnx import export_graph
from models.export.parity import BATCHES, differences
from models.networks.cnet import CNet
from models.networks.expnet import CoefficientLayout
from models.networks.preprocessing import CENTRE, SCALE
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import USUAL_LIGHT, RNetLayout

INPUT = "crops"
DISTANCE = "trinormal.usual_distance_mm"


class ExpNetFaces(nn.Module):
    """What `CoefficientLayout` says of an ExpNet's outputs, in physical units."""

    names = ("identity", "expression", "angles_rad", "translation_mm")

    def __init__(self, network: nn.Module, layout: CoefficientLayout) -> None:
        super().__init__()
        self.network = network
        self.layout = layout

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Of crops (b, 3, s, s), bytes: coefficients, pitch yaw roll, and x y z around the usual distance."""
        parts = self.layout.split(self.network(_values(crops)))
        angles, shift = parts.pose.split(3, dim=1)
        return (
            parts.identity,
            parts.expression,
            angles * self.layout.angle_scale_rad,
            shift * self.layout.translation_scale_mm,
        )


class RNetFaces(nn.Module):
    """What `RNetLayout` says of an R-Net's outputs, in physical units; with a C-Net also its confidences."""

    def __init__(self, network: RNetwork, layout: RNetLayout, confidence: CNet | None) -> None:
        super().__init__()
        self.network = network
        self.layout = layout
        self.confidence = confidence
        own = ("identity", "expression", "texture", "angles_rad", "light", "translation_mm")
        self.names = own if confidence is None else (*own, "confidence")
        self.register_buffer("usual_light", torch.tensor(USUAL_LIGHT)[:, None])

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Of crops (b, 3, s, s), bytes: as `ExpNetFaces`, and texture and light (b, 9, 3)."""
        features = self.network.features(_values(crops))
        parts = self.layout.split(self.network.head(features))
        light = parts.light.unflatten(1, (3, 9)).transpose(1, 2) * self.layout.light_scale
        own = (
            parts.identity,
            parts.expression,
            parts.texture,
            parts.angles * self.layout.angle_scale_rad,
            light + self.get_buffer("usual_light"),
            parts.translation * self.layout.translation_scale_mm,
        )
        return own if self.confidence is None else (*own, self.confidence(features))


def export_reconstructor(module: ExpNetFaces | RNetFaces, pixels: int, notes: Mapping[str, str]) -> ModelProto:
    """Input `crops` (batch, 3, pixels, pixels) uint8, aligned as `align_photo` does; outputs by the module's names.

    z of `translation_mm` is relative to the distance that the metadata names; `notes` stand there too.
    """
    example = torch.zeros((2, 3, pixels, pixels), dtype=torch.uint8)
    proto = export_graph(module, (example,), (INPUT,), module.names)
    for name, value in notes.items():
        proto.metadata_props.add(key=name, value=value)
    return proto


def reconstructor_parity(
    proto: ModelProto, module: ExpNetFaces | RNetFaces, real: UInt8[ndarray, "n 3 s s"]
) -> dict[str, float]:
    """Largest absolute difference by kind and size of batch: see `fused_parity`."""
    draw = torch.Generator().manual_seed(0)
    shape = real.shape[1:]
    noise = {
        f"random_{count}": [torch.randint(256, (count, *shape), generator=draw).to(torch.uint8)] for count in BATCHES
    }
    photos = {f"real_{count}": [torch.from_numpy(np.resize(real, (count, *shape)))] for count in BATCHES}
    return differences(proto, module, noise | photos, (INPUT,), module.names)


def _values(crops: Tensor) -> Tensor:
    """`preprocessing.scale_pixels`, as operators of the graph."""
    return (crops.to(torch.float32) - CENTRE) / SCALE
