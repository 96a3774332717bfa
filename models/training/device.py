"""Where to compute."""

from typing import Literal

import torch

from models.errors import ConfigurationError

DeviceName = Literal["auto", "cpu", "cuda"]


def pick_device(name: DeviceName) -> torch.device:
    """CUDA where `auto` finds one, else the CPU; raises `ConfigurationError` when `cuda` is asked for and absent."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigurationError("device 'cuda': this machine has none that torch can use; choose 'cpu' or 'auto'")
    return torch.device("cuda" if available and name != "cpu" else "cpu")
