"""The style-code denoiser: a transformer over pieces of the code, told the time, the expression and a description."""

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from models.errors import ConfigurationError

TIME_WAVES = 64


class Conditions(NamedTuple):
    """What a face is to be like, a row each.

    `expression` is how much (0-1) of each expression, a row of NaN where nothing is asked; `words` are word numbers by
    slot, 0 where nothing is said. Where `keeps_identity`, the identity part of the code comes without noise and stays.
    """

    expression: Float[Tensor, "b e"]
    words: Int64[Tensor, "b s"]
    keeps_identity: Bool[Tensor, " b"]

    def rows(self, chosen: Int64[Tensor, " c"], device: torch.device) -> "Conditions":
        """Some of them, on `device`."""
        return Conditions(*(part[chosen].to(device) for part in self))

    def forgotten(self) -> "Conditions":
        """The same identities with nothing asked: the other half of classifier-free guidance."""
        return Conditions(
            torch.full_like(self.expression, torch.nan), torch.zeros_like(self.words), self.keeps_identity
        )

    def dropped(self, chance: float, generator: torch.Generator) -> "Conditions":
        """As in training: with `chance` each word and each expression is left out, and all of them at once."""
        device = self.words.device

        def lost(*size: int) -> Bool[Tensor, "..."]:
            return torch.rand(size, generator=generator, device=device) < chance

        all_lost = lost(len(self.words), 1)
        expression = self.expression.masked_fill(lost(len(self.words), 1) | all_lost, torch.nan)
        return self._replace(expression=expression, words=self.words.masked_fill(lost(*self.words.shape) | all_lost, 0))


@dataclass(frozen=True)
class DenoiserShape:
    """Parts of a code, length of its pieces (a divisor of both parts), and the size of the transformer.

    `vocabulary` counts the words of each slot, `expressions` the expressions.
    """

    identity: int = 160
    expression: int = 48
    piece: int = 16
    width: int = 96
    depth: int = 3
    heads: int = 4
    expressions: int = 6
    vocabulary: tuple[int, ...] = (2, 3, 3, 4)

    def __post_init__(self) -> None:
        if self.identity % self.piece or self.expression % self.piece or self.width % self.heads:
            raise ConfigurationError(
                f"style denoiser: {asdict(self)}: choose pieces that divide both parts, and heads that divide the width"
            )


class StyleDenoiser(nn.Module):
    """Velocity of noised style codes (see `diffusion`) under conditions.

    Pieces of the code are tokens. The time scales and shifts each block (Peebles and Xie, ICCV 2023), the expression
    and the words are looked up by cross-attention (Rombach et al., CVPR 2022). Starts by predicting zero.
    """

    def __init__(self, shape: DenoiserShape) -> None:
        super().__init__()
        self.shape = shape
        width, pieces = shape.width, (shape.identity + shape.expression) // shape.piece
        self.take_in = nn.Linear(shape.piece, width)
        self.place = nn.Parameter(0.02 * torch.randn(pieces, width))
        self.kept = nn.Parameter(0.02 * torch.randn(width))
        self.time = nn.Sequential(nn.Linear(2 * TIME_WAVES, width), nn.SiLU(), nn.Linear(width, width))
        self.expression = nn.Sequential(nn.Linear(shape.expressions, width), nn.SiLU(), nn.Linear(width, width))
        self.any_expression = nn.Parameter(0.02 * torch.randn(width))
        self.words = nn.ModuleList(nn.Embedding(count + 1, width) for count in shape.vocabulary)
        self.blocks = nn.ModuleList(_Block(width, shape.heads) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(width)
        self.give_out = nn.Linear(width, shape.piece)
        for table in self.words:
            nn.init.normal_(table.get_parameter("weight"), std=0.2)  # as large as the expression's token
        nn.init.zeros_(self.give_out.weight)
        nn.init.zeros_(self.give_out.bias)

    def forward(
        self, codes: Float[Tensor, "b d"], times: Int64[Tensor, " b"], conditions: Conditions
    ) -> Float[Tensor, "b d"]:
        """The velocity; of a kept identity, zero."""
        tokens = self.take_in(codes.unflatten(1, (-1, self.shape.piece))) + self.place
        own = self.shape.identity // self.shape.piece
        kept = conditions.keeps_identity[:, None, None] * self.kept
        tokens = torch.cat([tokens[:, :own] + kept, tokens[:, own:]], dim=1)
        time, asked = self.time(_waves(times)), self._asked(conditions)
        for block in self.blocks:
            tokens = block(tokens, time, asked)
        found = self.give_out(self.norm(tokens)).flatten(1)
        return found.masked_fill(fixed_numbers(conditions.keeps_identity, self.shape), 0.0)

    def _asked(self, conditions: Conditions) -> Float[Tensor, "b c w"]:
        """One token for the expression and one for each slot of the description."""
        silent = conditions.expression.isnan().any(1, keepdim=True)
        shares = conditions.expression.masked_fill(silent, 0.0)
        expression = torch.where(silent, self.any_expression, self.expression(shares))
        words = [table(numbers) for table, numbers in zip(self.words, conditions.words.T, strict=True)]
        return torch.stack([expression, *words], dim=1)


def fixed_numbers(keeps_identity: Bool[Tensor, " b"], shape: DenoiserShape) -> Bool[Tensor, "b d"]:
    """The numbers of each code that carry no noise: those of an identity that is kept."""
    in_identity = torch.arange(shape.identity + shape.expression, device=keeps_identity.device) < shape.identity
    return keeps_identity[:, None] & in_identity


def guided(
    denoiser: StyleDenoiser, codes: Float[Tensor, "b d"], times: Int64[Tensor, " b"], asked: Conditions, guidance: float
) -> Float[Tensor, "b d"]:
    """Classifier-free guidance (Ho and Salimans, 2021): 1 heeds the conditions as learnt, more exaggerates them."""
    heeding = denoiser(codes, times, asked)
    if guidance == 1.0:
        return heeding
    free = denoiser(codes, times, asked.forgotten())
    return free + guidance * (heeding - free)


class _Block(nn.Module):
    """Self-attention, cross-attention to the conditions and two linear layers, each on normalised tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.among = nn.MultiheadAttention(width, heads, batch_first=True)
        self.across = nn.MultiheadAttention(width, heads, batch_first=True)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.steer = nn.Linear(width, 6 * width)
        nn.init.normal_(self.steer.weight, std=0.02 / math.sqrt(width))
        nn.init.zeros_(self.steer.bias)

    def forward(
        self, tokens: Float[Tensor, "b p w"], time: Float[Tensor, "b w"], asked: Float[Tensor, "b c w"]
    ) -> Float[Tensor, "b p w"]:
        """Tokens of the same shape."""
        scales, shifts = self.steer(time)[:, None].unflatten(2, (2, 3, -1)).unbind(2)
        here = self.norm(tokens) * (1 + scales[:, :, 0]) + shifts[:, :, 0]
        tokens = tokens + self.among(here, here, here, need_weights=False)[0]
        here = self.norm(tokens) * (1 + scales[:, :, 1]) + shifts[:, :, 1]
        tokens = tokens + self.across(here, asked, asked, need_weights=False)[0]
        return tokens + self.think(self.norm(tokens) * (1 + scales[:, :, 2]) + shifts[:, :, 2])


def _waves(times: Int64[Tensor, " b"]) -> Float[Tensor, "b w"]:
    """Sines and cosines of the time, wavelengths from 2 pi to 10,000 times that (Vaswani et al., 2017)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(TIME_WAVES, device=times.device) / TIME_WAVES)
    angles = times[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
