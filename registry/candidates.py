"""What a version brings to its gate, in the ledger from its registration on: tags can be changed, this cannot."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine

from registry import ledger
from registry.errors import RegistryError
from registry.gates import Gate
from registry.ledger import Entry

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Candidate:
    """A registered version, what was measured of it, and the bounds it has to keep.

    `sha256` is that of its graph, `lineage` the key of the artefact it is, `protocol` the hash of how it was measured.
    `versus_champion` are bounds on what a comparison with the champion finds, held only where one serves. `outcomes` is
    the hash of the file that says what became of each probe, `answers` what the graph said to a fixed input, by output.
    With `needs_approval` a person has to agree.
    """

    model: str
    version: str
    sha256: str
    lineage: str
    protocol: str
    licences: frozenset[str]
    metrics: Mapping[str, float]
    gates: tuple[Gate, ...]
    versus_champion: tuple[Gate, ...] = ()
    outcomes: str = ""
    answers: Mapping[str, Sequence[float]] | None = None
    needs_approval: bool = False

    def as_data(self) -> dict[str, Any]:
        """For the ledger; a figure that is not finite becomes null."""
        return {
            **{name: getattr(self, name) for name in ("sha256", "lineage", "protocol", "outcomes", "needs_approval")},
            "licences": sorted(self.licences),
            "metrics": {name: value if math.isfinite(value) else None for name, value in self.metrics.items()},
            "gates": [asdict(gate) for gate in self.gates],
            "versus_champion": [asdict(gate) for gate in self.versus_champion],
            "answers": self.answers and {name: list(values) for name, values in self.answers.items()},
        }


def enter(engine: Engine, candidate: Candidate) -> bool:
    """Note a version as candidate, once: what was measured first stays. Returns whether it is new."""
    return ledger.note_once(engine, candidate.model, CANDIDATE, candidate.version, candidate.as_data())


def find_candidate(entries: Sequence[Entry], model: str, version: str) -> Candidate | None:
    """The candidate of that number; None for one that was registered before candidates were noted."""
    for entry in entries:
        if entry.action == CANDIDATE and entry.version == version:
            return _candidate(model, version, entry.decision)
    return None


def require_candidate(entries: Sequence[Entry], model: str, version: str) -> Candidate:
    """The same; raises `RegistryError` with the way out where there is none."""
    found = find_candidate(entries, model, version)
    if found is None:
        raise RegistryError(f"the ledger knows no candidate {model} version {version}: train it, which registers it")
    return found


def _candidate(model: str, version: str, told: Mapping[str, Any]) -> Candidate:
    return Candidate(
        model,
        version,
        told["sha256"],
        told["lineage"],
        told["protocol"],
        frozenset(told["licences"]),
        {name: math.nan if value is None else float(value) for name, value in told["metrics"].items()},
        tuple(Gate(**gate) for gate in told["gates"]),
        tuple(Gate(**gate) for gate in told["versus_champion"]),
        told["outcomes"],
        told["answers"],
        told["needs_approval"],
    )
