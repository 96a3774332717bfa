"""What a model must reach before it serves."""

from typing import Annotated

from pydantic import Field

from infra.config import Config
from infra.numbers import NotNegative, Positive, Share


class ServingGateConfig(Config):
    """What is asked of every model, whatever it does.

    `latency_p99_ms`: for one input on one thread. Against the champion on the same probes: the lower end of the 95 %
    interval of the difference may be `worse_by_at_most` below zero, and a test over people must not find the candidate
    worse at the level `significance`, one-sided. With `needs_approval` a person has to agree too.
    """

    latency_p99_ms: Positive = 500.0
    worse_by_at_most: Share = 0.03
    significance: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    needs_approval: bool = False


class GateConfig(Config):
    """What a recogniser must reach before it becomes champion; absent or NaN metrics fail.

    `slice_floors`: rank-1 that every group of a label (expression, sex, ...) must reach.
    """

    fused_rank1: Share
    gain_over_baseline: float = 0.10
    parity_max_abs: Positive = 1e-4
    fused_below_best_axis: NotNegative = 0.0
    slice_floors: dict[str, Share] = Field(default_factory=dict)
    serving: ServingGateConfig = ServingGateConfig()
