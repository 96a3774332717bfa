"""Sphere20: the twenty-convolution face network of SphereFace (Liu et al., CVPR 2017, table 2)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

FIRST_KERNEL = "stages.0.0.weight"
STAGES = ((64, 1), (128, 2), (256, 4), (512, 1))
"""Channels at full width, and residual pairs, of each stage."""


@dataclass(frozen=True)
class Sphere20Shape:
    """What fixes every parameter shape of a `Sphere20`; `image_size` is (height, width) in pixels."""

    channels_in: int = 3
    width: float = 1.0
    image_size: tuple[int, int] = (112, 112)
    embedding: int = 512
    batch_norm: bool = False


class Sphere20(nn.Module):
    """Four stages, each a stride-2 3x3 convolution and residual pairs of 3x3 convolutions, then one linear layer.

    The classifier is not part of it: see `models.losses`. The original has no batch normalisation; without it training
    on small data does not start, so `batch_norm` adds one after each convolution and one on the embedding.
    """

    def __init__(
        self,
        channels_in: int = 3,
        width: float = 1.0,
        image_size: tuple[int, int] = (112, 112),
        embedding: int = 512,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.shape = Sphere20Shape(channels_in, width, image_size, embedding, batch_norm)
        stages: list[nn.Module] = []
        channels = channels_in
        for full_width, pairs in STAGES:
            outgoing = max(1, round(full_width * width))
            stages.append(_stage(channels, outgoing, pairs, batch_norm))
            channels = outgoing
        self.stages = nn.Sequential(*stages)
        cells = math.prod(math.ceil(side / 2 ** len(STAGES)) for side in image_size)
        self.embedding = nn.Linear(channels * cells, embedding, bias=not batch_norm)
        self.embedding_norm = nn.BatchNorm1d(embedding) if batch_norm else nn.Identity()
        self.reset_embedding()

    def forward(self, images: Float32[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Embeddings, not normalised, of images as `preprocessing.scale_pixels` gives them."""
        return self.embedding_norm(self.embedding(self.stages(images).flatten(1)))

    def reset_embedding(self) -> None:
        """Draw the fully connected layer anew, as paper A (section 3.2) does before fine-tuning."""
        nn.init.xavier_normal_(self.embedding.weight)
        if isinstance(self.embedding_norm, nn.BatchNorm1d):
            self.embedding_norm.reset_parameters()
        else:
            nn.init.zeros_(self.embedding.bias)


class ResidualPair(nn.Module):
    """x + f(x), f being two 3x3 convolutions with PReLU each."""

    def __init__(self, channels: int, batch_norm: bool) -> None:
        super().__init__()
        first = _convolution(channels, channels, 1, batch_norm)
        second = _convolution(channels, channels, 1, batch_norm)
        self.branch = nn.Sequential(*first, *second)
        for module in (first[0], second[0]):
            # A small start keeps each pair near the identity: the original's own remedy for having no normalisation.
            nn.init.normal_(module.get_parameter("weight"), std=0.01)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Features of the same shape."""
        return features + self.branch(features)


def _stage(incoming: int, outgoing: int, pairs: int, batch_norm: bool) -> nn.Sequential:
    residuals = [ResidualPair(outgoing, batch_norm) for _ in range(pairs)]
    return nn.Sequential(*_convolution(incoming, outgoing, 2, batch_norm), *residuals)


def _convolution(incoming: int, outgoing: int, stride: int, batch_norm: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=not batch_norm)
    nn.init.xavier_normal_(convolution.weight)
    if not batch_norm:
        nn.init.zeros_(convolution.get_parameter("bias"))
    norm: list[nn.Module] = [nn.BatchNorm2d(outgoing)] if batch_norm else []
    return [convolution, *norm, nn.PReLU(outgoing)]


def carry_first_layer(photo_state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of a photo network, made to take one channel: its first kernels summed over the input channels.

    Convolution is linear and `scale_pixels` treats photos and normal images alike, so the network answers to a normal
    image exactly what it answered to a photo with that image in all three channels.
    """
    kernel = photo_state[FIRST_KERNEL]
    return {**photo_state, FIRST_KERNEL: kernel.sum(dim=1, keepdim=True)}


def adapt_to_normals(pretrained: Sphere20) -> Sphere20:
    """A new one-channel network with the weights of `pretrained` (see `carry_first_layer`): paper A's baseline."""
    shape = pretrained.shape
    with torch.random.fork_rng(devices=[]):
        adapted = Sphere20(1, shape.width, shape.image_size, shape.embedding, shape.batch_norm)
    adapted.load_state_dict(carry_first_layer(pretrained.state_dict()))
    return adapted
