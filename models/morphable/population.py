"""People drawn from the bank of sampled identities, without end and without overlap between uses."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

Split = Literal["reconstruction", "heldout", "recognition", "benchmark"]
SHARES: dict[Split, tuple[float, float]] = {
    "reconstruction": (0.0, 0.34),
    "heldout": (0.34, 0.40),
    "recognition": (0.40, 0.75),
    "benchmark": (0.75, 1.0),
}
GENDER, AGE, WEIGHT = 0, 1, 2


class Person(NamedTuple):
    """One drawn identity. `seed` fixes everything else about the person: skin, hair, relief, mimic."""

    identity: Float32[ndarray, " k"]
    attributes: Float32[ndarray, " a"]
    seed: int

    @property
    def is_female(self) -> bool:
        """Whether the drawn body parameter leans to the female end (0 male, 1 female)."""
        return bool(self.attributes[GENDER] > 0.5)


def draw_person(
    bank_identity: Float32[ndarray, "people k"],
    bank_attributes: Float32[ndarray, "people a"],
    split: Split,
    seed: int,
    index: int,
) -> Person:
    """Person `index` of a split, always the same for the same seed.

    Each is a random mix of three bank members of one sex. Deviations from the sex's mean are summed with weights of
    unit Euclidean norm, which keeps the bank's covariance. Splits use disjoint bank members, so no test identity shares
    anything with a training identity.
    """
    rng = np.random.default_rng([seed, get_args(Split).index(split), index])
    first, last = (int(share * len(bank_identity)) for share in SHARES[split])
    members = np.arange(first, last)
    sex = bank_attributes[members, GENDER] > 0.5
    peers = members[sex == (rng.random() < 0.5)]
    chosen = rng.choice(peers, size=3, replace=False)
    mean = bank_identity[peers].mean(axis=0)
    identity = mean + _unit_weights(rng) @ (bank_identity[chosen] - mean)
    return Person(identity.astype(np.float32), bank_attributes[chosen[0]].astype(np.float32), int(rng.integers(2**31)))


def _unit_weights(rng: np.random.Generator) -> Float64[ndarray, " 3"]:
    weights = rng.dirichlet([1.0, 1.0, 1.0])
    return weights / np.linalg.norm(weights)
