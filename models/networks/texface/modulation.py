"""Convolutions steered by a style code (Karras et al., CVPR 2020), and how the vertices read what they draw."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2


class StyledConvolution(nn.Module):
    """A 3x3 convolution whose input channels are scaled by `1 + tanh(affine(style))`, then a leaky rectifier.

    Scaling the input is the same as scaling the kernel of each sample, and needs one kernel for the whole batch. The
    original then normalises each output channel; here that is left out, since how large the outputs are is what makes
    a strong or a faint detail. The bound keeps a rare code from being multiplied by itself level after level.
    """

    def __init__(self, channels_in: int, channels_out: int, style: int) -> None:
        super().__init__()
        self.scale = nn.Linear(style, channels_in)
        self.convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        nn.init.normal_(self.scale.weight, std=0.5 / style**0.5)
        nn.init.zeros_(self.scale.bias)
        nn.init.kaiming_normal_(self.convolution.weight, a=SLOPE)
        nn.init.zeros_(self.convolution.get_parameter("bias"))

    def forward(self, features: Float[Tensor, "b c h w"], style: Float[Tensor, "b s"]) -> Float[Tensor, "b o h w"]:
        """Features of the same height and width."""
        scaled = features * (1 + torch.tanh(self.scale(style)))[:, :, None, None]
        return functional.leaky_relu(self.convolution(scaled), SLOPE)


class StyledDrawing(nn.Module):
    """Features to a picture of three channels: a sum over the channels, each weighted as the style tells.

    Starts by drawing nothing.
    """

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.scale = nn.Linear(style, channels)
        self.mix = nn.Conv2d(channels, 3, 1, bias=False)
        nn.init.normal_(self.scale.weight, std=1 / style**0.5)
        nn.init.zeros_(self.scale.bias)
        nn.init.zeros_(self.mix.weight)

    def forward(self, features: Float[Tensor, "b c h w"], style: Float[Tensor, "b s"]) -> Float[Tensor, "b 3 h w"]:
        """A picture of the same height and width."""
        return self.mix(features * (1 + self.scale(style))[:, :, None, None])


def enlarged(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    """Twice the height and width, bilinear."""
    return functional.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)


class SplineReader(nn.Module):
    """Values of an image of `side` x `side` cells at `places` (x, y in -1..1 across it), by cubic B-splines.

    The surface read off so has no creases, and reads off a slope as it is; it smooths what it reads a little, which an
    image that is learnt through it makes up for. Beyond the centres of the outer cells these go on as they are.
    """

    cells: Tensor
    weights: Tensor

    def __init__(self, places: Float32[ndarray, "n 2"], side: int) -> None:
        super().__init__()
        where = (places.astype(np.float64) + 1) / 2 * side - 0.5
        before = np.floor(where)
        steps = np.arange(-1, 3)
        cells = np.clip(before[:, :, None] + steps, 0, side - 1).astype(np.int64)
        shares = cubic_spline((where - before)[:, :, None] - steps)
        flat = cells[:, 1, :, None] * side + cells[:, 0, None, :]
        both = shares[:, 1, :, None] * shares[:, 0, None, :]
        self.register_buffer("cells", torch.from_numpy(flat.reshape(len(places), 16)), persistent=False)
        self.register_buffer("weights", torch.from_numpy(both.reshape(len(places), 16)).float(), persistent=False)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n c"]:
        """One value a place, channel and image."""
        table = image.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)
        found = functional.embedding_bag(self.cells, table, per_sample_weights=self.weights, mode="sum")
        return found.unflatten(1, image.shape[:2]).transpose(0, 1)


def cubic_spline(distance: Float64[ndarray, "..."]) -> Float64[ndarray, "..."]:
    """The uniform cubic B-spline at `distance` (cells) from its middle; 0 from 2 on."""
    far = np.abs(distance)
    near_part = 2 / 3 - far**2 + far**3 / 2
    return np.where(far < 1, near_part, np.clip(2 - far, 0, None) ** 3 / 6)
