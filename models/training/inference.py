"""Trained networks applied to any number of images, a batch at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy import ndarray
from torch import nn

from models.networks.preprocessing import scale_pixels, use_channels_last

ImageBlocks = UInt8[ndarray, "n c h w"] | Iterable[UInt8[ndarray, "n c h w"]]
"""Images as one array (a memory map will do) or as a stream of blocks of any length."""


def embed(
    network: nn.Module, images: ImageBlocks, *, batch_size: int, device: torch.device, axis: int | None = None
) -> Float32[ndarray, "n d"]:
    """Embeddings of all images, as the network gives them (not normalised); `axis` picks one of three channels."""
    return _apply(network, images, batch_size, device, axis)


def predict_coefficients(
    network: nn.Module, photos: ImageBlocks, *, batch_size: int, device: torch.device
) -> Float32[ndarray, "n k"]:
    """Regressor outputs of all photos; `CoefficientLayout.unpack` gives them their meaning."""
    return _apply(network, photos, batch_size, device, None)


def _apply(
    network: nn.Module, images: ImageBlocks, batch_size: int, device: torch.device, axis: int | None
) -> Float32[ndarray, "n d"]:
    was_training = network.training
    use_channels_last(network.eval().to(device))
    outputs = [_run_batch(network, batch, device, axis) for batch in _batches(images, batch_size)]
    network.train(was_training)
    return np.concatenate(outputs) if outputs else np.empty((0, 0), np.float32)


def _run_batch(
    network: nn.Module, batch: UInt8[ndarray, "b c h w"], device: torch.device, axis: int | None
) -> Float32[ndarray, "b d"]:
    chosen = batch if axis is None else batch[:, axis : axis + 1]
    with torch.inference_mode():
        values = scale_pixels(torch.tensor(chosen, device=device))
        return network(values).float().cpu().numpy()


def _batches(images: ImageBlocks, batch_size: int) -> Iterator[UInt8[ndarray, "b c h w"]]:
    for block in [images] if isinstance(images, ndarray) else images:
        for start in range(0, len(block), batch_size):
            yield block[start : start + batch_size]
