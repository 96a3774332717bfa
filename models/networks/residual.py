"""Residual networks for classification (He et al., CVPR 2016), of coefficient vectors (1-D) and of photos (2-D).

MONAI's blocks in both: with one spatial dimension a vector is a signal of one channel, as paper B feeds it. Such a
network computes on pictures of one row, which are the same sums: only pictures can be laid out channels last, and in
that layout a step of training takes a CPU 1.4 to 1.7 times less.
"""

from typing import Literal, NamedTuple, cast

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
        trunk = _resnet34(spatial_dims, channels_in, width)
    else:
        network = ResNet32(spatial_dims, channels_in, width)
        trunk = Trunk(network, network.feature_count)
    return trunk._replace(network=OneRow(trunk.network)) if spatial_dims == 1 else trunk


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


class OneRow(nn.Module):
    """A network of signals, in place, as the same network of pictures one pixel high."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        for module in list(network.modules()):
            for name, layer in list(module.named_children()):
                setattr(module, name, _of_pictures(layer).train(layer.training))

    def forward(self, values: Float[Tensor, "b c n"]) -> Float[Tensor, "b f"]:
        """What the network of signals gives."""
        return self.network(values[:, :, None].contiguous(memory_format=torch.channels_last))


def _of_pictures(layer: nn.Module) -> nn.Module:
    """`layer` for pictures one pixel high if it is one for signals, with the same parameters; else `layer` itself."""
    if isinstance(layer, nn.Conv1d):
        found = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            (1, layer.kernel_size[0]),
            (1, layer.stride[0]),
            (0, cast(tuple[int], layer.padding)[0]),
            bias=False,
        )
        found.weight = nn.Parameter(layer.weight.detach()[:, :, None])
        found.bias = layer.bias
        return found
    if isinstance(layer, nn.BatchNorm1d):
        found = nn.BatchNorm2d(layer.num_features, layer.eps, layer.momentum)
        found.load_state_dict(layer.state_dict())
        return found
    if isinstance(layer, nn.MaxPool1d):
        length, stride, padding = (cast(int, each) for each in (layer.kernel_size, layer.stride, layer.padding))
        return nn.MaxPool2d((1, length), (1, stride), (0, padding))
    return nn.AdaptiveAvgPool2d(1) if isinstance(layer, nn.AdaptiveAvgPool1d) else layer
