"""Residual networks for classification (He et al., CVPR 2016), of coefficient vectors (1-D) and of photos (2-D).

MONAI's blocks in both: with one spatial dimension a vector is a signal of one channel, as paper B feeds it.
"""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.errors import ConfigurationError

LAYERS_34 = (3, 4, 6, 3)
PLANES_34 = (64, 128, 256, 512)
BLOCKS_32 = 5
PLANES_32 = (16, 32, 64)


class Trunk(NamedTuple):
    """A network without its last layer, and the length of the feature vectors it gives."""

    network: nn.Module
    features: int


def build_trunk(depth: int, spatial_dims: Literal[1, 2], channels_in: int, width: float) -> Trunk:
    """ResNet-34 of ImageNet's form, or ResNet-32 of CIFAR's: input (b, channels_in, ...) to (b, features).

    Width 1 has 64 to 512 (depth 34) or 16 to 64 channels (depth 32). Raises `ConfigurationError` on another depth or a
    width that leaves no channel.
    """
    if depth not in (32, 34):
        raise ConfigurationError(f"no classifier of depth {depth}: choose 32 or 34")
    if round(PLANES_32[0] * width) < 1:
        raise ConfigurationError(f"width {width} leaves no channel: choose a larger one")
    if depth == 34:
        return _resnet34(spatial_dims, channels_in, width)
    network = ResNet32(spatial_dims, channels_in, width)
    return Trunk(network, network.feature_count)


def _resnet34(spatial_dims: int, channels_in: int, width: float) -> Trunk:
    from monai.networks.nets.resnet import ResNet  # here, since importing it takes seconds

    network = ResNet(
        block="basic",
        layers=list(LAYERS_34),
        block_inplanes=list(PLANES_34),
        spatial_dims=spatial_dims,
        n_input_channels=channels_in,
        conv1_t_size=7,
        conv1_t_stride=2,
        bias_downsample=False,  # a bias before batch normalisation has no effect and no gradient
        widen_factor=width,
        feed_forward=False,
    )
    return Trunk(network, int(PLANES_34[-1] * width))


class ResNet32(nn.Module):
    """Three stages of five basic blocks (section 4.2 of He et al., n = 5); shortcuts that widen are projections."""

    def __init__(self, spatial_dims: int, channels_in: int, width: float) -> None:
        super().__init__()
        from monai.networks.layers.factories import Conv, Norm, Pool
        from monai.networks.nets.resnet import ResNetBlock

        conv, norm = Conv[Conv.CONV, spatial_dims], Norm[Norm.BATCH, spatial_dims]
        planes = [round(count * width) for count in PLANES_32]
        self.feature_count = planes[-1]
        self.start = nn.Sequential(
            conv(channels_in, planes[0], 3, padding=1, bias=False), norm(planes[0]), nn.ReLU(inplace=True)
        )
        blocks: list[nn.Module] = []
        inside = planes[0]
        for stage, count in enumerate(planes):
            for number in range(BLOCKS_32):
                stride = 2 if stage > 0 and number == 0 else 1
                shortcut = None
                if stride > 1 or inside != count:
                    shortcut = nn.Sequential(conv(inside, count, 1, stride, bias=False), norm(count))
                blocks.append(ResNetBlock(inside, count, spatial_dims, stride, shortcut))
                inside = count
        self.blocks = nn.Sequential(*blocks)
        self.pool = Pool[Pool.ADAPTIVEAVG, spatial_dims](1)
        for module in self.modules():
            if isinstance(module, (nn.Conv1d, nn.Conv2d)):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, values: Float[Tensor, "b c *n"]) -> Float[Tensor, "b f"]:
        """Mean over places of the last stage's features."""
        return torch.flatten(self.pool(self.blocks(self.start(values))), 1)
