"""What a model must show before it serves. Pure: metrics in, a decision out, and the decision is data.

Nothing passes by absence: a metric that is missing, NaN or infinite fails its gate.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

FREE_LICENCES = frozenset({"CC0-1.0", "CC-BY-4.0", "Apache-2.0", "MIT", "BSD-3-Clause"})


@dataclass(frozen=True)
class Gate:
    """Bounds on one metric, inclusive, in the metric's unit."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds or not all(math.isfinite(bound) for bound in bounds):
            raise ValueError(f"gate {self.metric!r} needs a finite at_least or at_most")

    @property
    def bound(self) -> str:
        """What it asks for, in words."""
        told = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{which} {bound:g}" for which, bound in told if bound is not None)


class Check(NamedTuple):
    """What one gate saw: `reason` is empty when it passed, `bound` what it asked for."""

    metric: str
    value: float | None
    reason: str
    bound: str = ""


@dataclass(frozen=True)
class Decision:
    """Whether a model may serve, and everything that spoke against it."""

    passed: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The decision for the ledger; JSON can say it (a value that is not finite becomes null)."""
        checks = [check._replace(value=_finite(check.value))._asdict() for check in self.checks]
        return {**asdict(self), "reasons": list(self.reasons), "checks": checks}


@dataclass(frozen=True)
class Evidence:
    """What a candidate brings beside its metrics.

    `protocol` is the hash of the evaluation protocol, `licences` the SPDX names of all it was derived from.
    """

    metrics: Mapping[str, float]
    protocol: str
    licences: frozenset[str]
    lineage_complete: bool
    licence_override: str | None = None


def judge(metrics: Mapping[str, float], gates: Sequence[Gate], obstacles: Sequence[str] = ()) -> Decision:
    """Hold every gate against its metric; `obstacles` are reasons found elsewhere. No gates at all do not pass."""
    checks = tuple(_check(gate, metrics) for gate in gates)
    reasons = tuple(check.reason for check in checks if check.reason) + tuple(obstacles)
    if not gates:
        reasons = ("no gate was named", *reasons)
    return Decision(passed=not reasons, reasons=reasons, checks=checks)


def obstacles(candidate: Evidence, champion_protocol: str | None) -> tuple[str, ...]:
    """What forbids a candidate whatever its metrics: unequal protocols, an unknown lineage, a restrictive licence."""
    found: list[str] = []
    if not candidate.protocol:
        found.append("the evaluation protocol is not known")
    elif champion_protocol is not None and champion_protocol != candidate.protocol:
        found.append("measured under another protocol than the champion: score both under one")
    if not candidate.lineage_complete:
        found.append("the lineage is not complete")
    restricted = sorted(candidate.licences - FREE_LICENCES)
    if not candidate.licences:
        found.append("the licence of its data is not known")
    elif restricted and not candidate.licence_override:
        found.append(f"derived from {', '.join(restricted)}: needs a licence override that names its reason")
    return tuple(found)


def _check(gate: Gate, metrics: Mapping[str, float]) -> Check:
    value = metrics.get(gate.metric)
    return Check(gate.metric, value, _fault(gate, value), gate.bound)


def _fault(gate: Gate, value: float | None) -> str:
    """Why a value does not do; empty where it does."""
    if value is None:
        return f"{gate.metric} is missing"
    if _finite(value) is None:
        return f"{gate.metric} is {value}"
    if gate.at_least is not None and value < gate.at_least:
        return f"{gate.metric} is {value:g}, below {gate.at_least:g}"
    if gate.at_most is not None and value > gate.at_most:
        return f"{gate.metric} is {value:g}, above {gate.at_most:g}"
    return ""


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
