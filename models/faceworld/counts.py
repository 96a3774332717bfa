"""How many recordings of whom: totals as a data set has them, spread over its people."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64
from numpy import ndarray


def apportion(total: int, shares: Mapping[str, int]) -> dict[str, int]:
    """`total` divided in the proportions of `shares`, by largest remainders: the parts add up to it."""
    whole = sum(shares.values())
    exact = {name: total * share / whole for name, share in shares.items()}
    parts = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda each: parts[each] - exact[each])[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def spread_evenly(total: int, people: int) -> Int64[ndarray, " people"]:
    """As many for each as for any other, but for the remainder, which the first ones have."""
    return np.full(people, total // people, dtype=np.int64) + (np.arange(people) < total % people)


def spread_unevenly(total: int, people: int, rng: np.random.Generator, least: int = 0) -> Int64[ndarray, " people"]:
    """At least `least` for each, some many and most few, `total` in all."""
    weight = rng.gamma(1.6, size=people)
    return least + rng.multinomial(total - least * people, weight / weight.sum()).astype(np.int64)
