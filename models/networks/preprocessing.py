"""The one place where stored bytes become network values, for photos and normal images alike.

A byte `v` becomes `(v - 127.5) / 128`. For a normal component stored as `127.5 (n + 1)` that is `n * 127.5 / 128`, so
the network sees the component itself within half a per cent; the background byte 0 becomes `BACKGROUND`, just above
-1. One rule for both kinds of image is what lets a first layer trained on photos carry over to normals.
"""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from models.errors import ConfigurationError

CENTRE = 127.5
SCALE = 128.0
BACKGROUND = -CENTRE / SCALE
FEWEST_CHANNELS = 8


def scale_pixels(images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n c h w"]:
    """Network values in (-1, 1), laid out channels-last, on the device of `images`."""
    return planar_values(images).contiguous(memory_format=torch.channels_last)


def planar_values(images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n c h w"]:
    """The same values laid out channel by channel: several times faster for work on pixels of few channels."""
    return images.to(torch.float32, memory_format=torch.contiguous_format).sub_(CENTRE).div_(SCALE)


def use_channels_last(module: nn.Module) -> nn.Module:
    """Lay out the kernels of `module`, in place, as `scale_pixels` lays out images: the faster way on CPUs and GPUs."""
    return module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - missing in torch's hints


def require_safe_gradients(module: nn.Module) -> None:
    """Raises `ConfigurationError` for networks so narrow that training them, channels last, corrupts memory on CPUs."""
    narrow = [each for each in module.modules() if isinstance(each, nn.Conv2d) and _corrupts_memory(each)]
    if narrow:
        raise ConfigurationError(
            f"a shortcut of {narrow[0].in_channels} channels: choose a width that leaves {FEWEST_CHANNELS}"
        )


def _corrupts_memory(layer: nn.Conv2d) -> bool:
    """oneDNN's gradients of strided 1x1 convolutions, channels last, write beyond the end for few input channels.

    Seen with PyTorch 2.13: aborts and segmentation faults with each of 2 to 6, a hang with 7, nothing with 1, with 8 to
    24, or with stride 1.
    """
    return layer.kernel_size == (1, 1) and layer.stride != (1, 1) and 1 < layer.in_channels < FEWEST_CHANNELS
