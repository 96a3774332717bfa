"""Weights for other programs: plain safetensors, each tensor under its name in the network."""

from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from infra.files import atomic_write_bytes


def save_plain_weights(path: Path, module: nn.Module) -> None:
    """Parameters and buffers of `module`, as `safetensors.torch.load_file` gives them back; equal ones, equal bytes."""
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in sorted(module.state_dict().items())
    }
    atomic_write_bytes(path, save(tensors, {"format": "pt"}))
