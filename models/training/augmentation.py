"""What training images go through: bytes in, network values out, every draw from the generator of the step.

Augmentations work on whole batches; images are uint8 (b, c, h, w), results float32 as `scale_pixels` gives them.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from models.networks.preprocessing import planar_values, scale_pixels


@runtime_checkable
class Augmentation(Protocol):
    """Bytes to varied network values; `axis` tells which normal component a single channel is."""

    def __call__(
        self, images: UInt8[Tensor, "b c h w"], generator: torch.Generator, axis: int | None
    ) -> Float32[Tensor, "b c h w"]:
        """Values of the same shape."""
        ...


@dataclass(frozen=True)
class NoAugmentation:
    """Images as they are."""

    def __call__(
        self,
        images: UInt8[Tensor, "b c h w"],
        generator: torch.Generator,  # noqa: ARG002
        axis: int | None,  # noqa: ARG002
    ) -> Float32[Tensor, "b c h w"]:
        """`scale_pixels`."""
        return scale_pixels(images)


@dataclass(frozen=True)
class NormalAugmentation:
    """What scanners and alignment do to normal images; byte 0 is background throughout.

    `mirror` is the chance of a left-right flip, which also turns Nx round (paper A's training flips photos and keeps
    the identity, though a mirrored face is strictly another one). `shift_px` is the largest shift; `hole_chance` that
    of a disc without data, of a radius up to `hole_radius` of the image's width; `noise` and `blur` are the largest
    standard deviation (component units) and blend with a 3x3 mean.
    """

    mirror: float = 0.0
    shift_px: int = 2
    hole_chance: float = 0.3
    hole_radius: float = 0.15
    noise: float = 0.08
    blur: float = 0.5

    def __call__(
        self, images: UInt8[Tensor, "b c h w"], generator: torch.Generator, axis: int | None
    ) -> Float32[Tensor, "b c h w"]:
        """Mirror, shift and cut holes in the bytes; then blur and add noise to what is not background."""
        if self.mirror > 0:
            images = mirror_normals(images, _chance(len(images), self.mirror, generator), axis)
        if self.shift_px > 0:
            images = shift(images, self.shift_px, generator)
        if self.hole_chance > 0:
            images = images.masked_fill(discs(images, self.hole_chance, self.hole_radius, generator), 0)
        known = (images > 0).float()
        values = planar_values(images)
        values = _blur_known(values, known, self.blur * _uniform(len(images), generator))
        sigma = self.noise * _uniform(len(images), generator)
        grain = torch.empty_like(values).normal_(generator=generator)
        values.addcmul_(grain.mul_(sigma), known)
        return values.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class PhotoAugmentation:
    """What cameras do to photos. Chances (0-1) of a flip, of grey, and of a grey disc of up to `hole_radius` of the
    width; the largest relative change of brightness, contrast and of one colour; the largest blend with a 3x3 mean.
    """

    mirror: float = 0.5
    grey: float = 0.15
    hole_chance: float = 0.2
    hole_radius: float = 0.15
    brightness: float = 0.25
    contrast: float = 0.25
    colour: float = 0.1
    blur: float = 0.7

    def __call__(
        self,
        images: UInt8[Tensor, "b c h w"],
        generator: torch.Generator,
        axis: int | None,  # noqa: ARG002
    ) -> Float32[Tensor, "b c h w"]:
        """Flip, light, grey, blur, occlude; values stay within those of `scale_pixels`."""
        count, channels = images.shape[:2]
        if self.mirror > 0:
            flipped = _chance(count, self.mirror, generator)
            images = torch.where(flipped, images.flip(-1), images)
        values = planar_values(images)
        gain = 1 + self.contrast * _signed((count, 1, 1, 1), generator)
        gain = gain * (1 + self.colour * _signed((count, channels, 1, 1), generator))
        values = values.mul_(gain).add_(self.brightness * _signed((count, 1, 1, 1), generator)).clamp_(-1, 1)
        if self.grey > 0:
            grey = _chance(count, self.grey, generator).flatten().nonzero().flatten()
            values[grey] = values[grey].mean(1, keepdim=True).expand(-1, channels, -1, -1)
        if self.blur > 0:
            blend = self.blur * _uniform(count, generator)
            values = values.lerp_(_window_sums(functional.pad(values, (1,) * 4, mode="replicate")).div_(9), blend)
        if self.hole_chance > 0:
            values = values.masked_fill_(discs(images, self.hole_chance, self.hole_radius, generator), 0.0)
        return values.contiguous(memory_format=torch.channels_last)


def mirror_normals(
    images: UInt8[Tensor, "b c h w"], mirrored: Bool[Tensor, "b 1 1 1"], axis: int | None
) -> UInt8[Tensor, "b c h w"]:
    """Flip left and right where `mirrored`; Nx (channel 0 of three, or the one channel if `axis` is 0) changes sign."""
    flipped = images.flip(-1)
    if axis in (None, 0):
        nx = flipped[:, :1]
        # 255 - v negates the component; byte 0 is background and stays, so the value opposite to it becomes 1.
        flipped[:, :1] = torch.where(nx > 0, (255 - nx).clamp_(min=1), nx)
    return torch.where(mirrored, flipped, images)


def shift(images: UInt8[Tensor, "b c h w"], largest: int, generator: torch.Generator) -> UInt8[Tensor, "b c h w"]:
    """Each image moved by up to `largest` pixels either way along both sides, background coming in."""
    height, width = images.shape[2:]
    windows = functional.pad(images, (largest,) * 4).unfold(2, height, 1).unfold(3, width, 1)
    offsets = torch.randint(2 * largest + 1, (2, len(images)), generator=generator, device=images.device)
    return windows[torch.arange(len(images), device=images.device), :, offsets[0], offsets[1]]


def discs(images: Tensor, chance: float, largest_radius: float, generator: torch.Generator) -> Bool[Tensor, "b 1 h w"]:
    """A disc in some of the images; centres anywhere, radii uniform up to `largest_radius` image widths."""
    count, (height, width) = len(images), images.shape[2:]
    centre_y, centre_x, radius = (_uniform(count, generator) for _ in range(3))
    radius = largest_radius * width * radius * _chance(count, chance, generator)
    y = torch.arange(height, device=images.device).view(1, 1, -1, 1) - centre_y * height
    x = torch.arange(width, device=images.device).view(1, 1, 1, -1) - centre_x * width
    return y.square() + x.square() < radius.square()


def _blur_known(values: Tensor, known: Tensor, blend: Tensor) -> Tensor:
    """Blend with the 3x3 mean of the known neighbours, so that background never bleeds into the face."""
    count = _window_sums(functional.pad(known, (1,) * 4)).clamp_(min=1)
    mean = _window_sums(functional.pad(values * known, (1,) * 4)).div_(count)
    return values.lerp_(mean, blend * known)


def _window_sums(padded: Tensor) -> Tensor:
    """Sums over 3x3 windows of images padded by one; on a CPU this takes an eighth of the time of `avg_pool2d`."""
    rows = padded[:, :, :-2] + padded[:, :, 1:-1]
    rows += padded[:, :, 2:]
    sums = rows[..., :-2] + rows[..., 1:-1]
    sums += rows[..., 2:]
    return sums


def _uniform(count: int, generator: torch.Generator) -> Float32[Tensor, "b 1 1 1"]:
    return torch.rand((count, 1, 1, 1), generator=generator, device=generator.device)


def _signed(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device) * 2 - 1


def _chance(count: int, chance: float, generator: torch.Generator) -> Bool[Tensor, "b 1 1 1"]:
    return _uniform(count, generator) < chance
