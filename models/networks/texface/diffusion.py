"""The equations of diffusion: what noise does to a code, and how it is taken away again.

Notation of DDIM (Song et al., ICLR 2021) with its alpha written out as signal^2: x_t = signal_t x_0 + noise_t e,
signal^2 + noise^2 = 1. The network predicts the velocity v = signal e - noise x_0 (Salimans and Ho, ICLR 2022), which
is well defined at both ends.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from models.errors import ConfigurationError

TIMES = 1000
OFFSET = 0.008
Velocity = Callable[[Float[Tensor, "b d"], Int64[Tensor, " b"]], Float[Tensor, "b d"]]
"""(codes at a time, that time) -> predicted velocity."""


def signal_and_noise(times: Int64[Tensor, " b"]) -> tuple[Float[Tensor, "b 1"], Float[Tensor, "b 1"]]:
    """Shares of the code and of the noise at `times`, -1 (nothing but code) to `TIMES` - 1 (nothing but noise).

    The cosine schedule of Nichol and Dhariwal (ICML 2021, eq. 17).
    """
    angle = ((times + 1) / TIMES + OFFSET) / (1 + OFFSET) * (math.pi / 2)
    signal = (torch.cos(angle) / math.cos(OFFSET / (1 + OFFSET) * math.pi / 2)).clamp(0, 1)[:, None]
    return signal, (1 - signal.square()).sqrt()


def noised(
    codes: Float[Tensor, "b d"], noise: Float[Tensor, "b d"], times: Int64[Tensor, " b"]
) -> Float[Tensor, "b d"]:
    """x_t of clean codes."""
    signal, share = signal_and_noise(times)
    return signal * codes + share * noise


def velocity(
    codes: Float[Tensor, "b d"], noise: Float[Tensor, "b d"], times: Int64[Tensor, " b"]
) -> Float[Tensor, "b d"]:
    """What the network is to predict from `noised` codes."""
    signal, share = signal_and_noise(times)
    return signal * noise - share * codes


def step_back(
    codes: Float[Tensor, "b d"],
    predicted: Float[Tensor, "b d"],
    times: Int64[Tensor, " b"],
    earlier: Int64[Tensor, " b"],
) -> Float[Tensor, "b d"]:
    """x at the time `earlier` from x at `times`: DDIM's equation 12 without fresh noise.

    Code and noise follow from the velocity by the rotation that made it; both are mixed anew.
    """
    signal, share = signal_and_noise(times)
    clean, noise = signal * codes - share * predicted, share * codes + signal * predicted
    return noised(clean, noise, earlier)


def sample(
    predict: Velocity, start: Float[Tensor, "b d"], fixed: Bool[Tensor, "b d"], steps: int
) -> Float[Tensor, "b d"]:
    """Codes out of noise in `steps` equal steps; the same noise always gives the same codes.

    `start` is pure noise but for the numbers that are `fixed`, which are clean and stay as they are.

    Raises `ConfigurationError` for no step or more than `TIMES`.
    """
    if not 1 <= steps <= TIMES:
        raise ConfigurationError(f"diffusion: {steps} steps; choose 1 to {TIMES}")
    codes = start
    plan = [round(TIMES * (steps - done) / steps) - 1 for done in range(steps + 1)]
    for now, then in pairwise(plan):
        times, earlier = (torch.full((len(codes),), time, device=codes.device) for time in (now, then))
        codes = torch.where(fixed, start, step_back(codes, predict(codes, times), times, earlier))
    return codes
