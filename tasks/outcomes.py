"""What became of each probe, as a file that a version keeps: enough to pair two models, and no name of anybody."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from infra.files import canonical_json, sha256_bytes
from models.metrics.benchmark import Outcome
from models.metrics.paired import Paired, compare_models
from registry.candidates import Candidate
from registry.gates import Gate
from registry.promotion import Comparison
from registry.reported import json_of
from registry.tracking import Tracker
from registry.training_runs import release_run

FILE = "outcomes.json"
SEED = 20250814
PSEUDONYM = 20
"""Hexadecimal digits of a pseudonym."""


class Outcomes(NamedTuple):
    """Under one protocol, for each probe: its pseudonym, its subject's, and whether it was a hit."""

    protocol: str
    probes: tuple[str, ...]
    subjects: tuple[str, ...]
    hits: Bool[ndarray, " p"]

    def as_text(self) -> str:
        """As JSON, one text for equal outcomes."""
        hits = "".join("1" if hit else "0" for hit in self.hits)
        return canonical_json({**self._asdict(), "hits": hits})


def outcomes_under(protocol: str, probes: Sequence[str], subjects: Sequence[str], hits: Sequence[bool]) -> Outcomes:
    """The outcomes, with pseudonyms that hold under this protocol only."""
    return Outcomes(
        protocol, _pseudonyms(protocol, "p", probes), _pseudonyms(protocol, "s", subjects), np.array(hits, dtype=bool)
    )


def identification_outcomes(protocol: str, found: Sequence[Outcome]) -> Outcomes:
    """Those of an identification; a lost probe is no hit."""
    return outcomes_under(
        protocol, [each.probe for each in found], [each.subject for each in found], [each.hit for each in found]
    )


def read_outcomes(text: str) -> Outcomes:
    """What `as_text` wrote."""
    told = json.loads(text)
    return Outcomes(
        told["protocol"], tuple(told["probes"]), tuple(told["subjects"]), np.array([hit == "1" for hit in told["hits"]])
    )


def kept_outcomes(tracker: Tracker, candidate: Candidate) -> Outcomes | None:
    """Those that a candidate's run keeps; None where it keeps none, or others than the ledger knows the hash of."""
    if not candidate.outcomes:
        return None
    told = json_of(tracker, release_run(tracker, candidate.model, candidate.version).run_id, FILE)
    if told is None:
        return None
    text = canonical_json(told)
    return read_outcomes(text) if sha256_bytes(text.encode()) == candidate.outcomes else None


def compare(candidate: Outcomes | None, champion: Outcomes | None) -> Comparison:
    """A candidate against the champion; what cannot be compared is an obstacle, never a pass."""
    if candidate is None or champion is None:
        whose = "candidate" if candidate is None else "champion"
        return Comparison({}, (f"what became of each probe is not known of the {whose}: train again",))
    if candidate.probes != champion.probes:
        return Comparison({}, ("the champion was asked about other probes: score both under one protocol",))
    pair = compare_models(candidate.hits, champion.hits, candidate.subjects, SEED)
    return Comparison(comparison_metrics(pair), protocol=champion.protocol)


def comparison_metrics(pair: Paired) -> dict[str, float]:
    """`versus_champion_low` is the lower end of the difference's interval, `p_worse` the one-sided chance of so small a
    difference, or a smaller one, if the candidate were as good.
    """
    one_sided = pair.clustered_p / 2
    return {
        "versus_champion": pair.difference.value,
        "versus_champion_low": pair.difference.low,
        "p_worse": one_sided if pair.difference.value < 0 else 1 - one_sided,
    }


def versus_champion(worse_by_at_most: float, significance: float) -> tuple[Gate, ...]:
    """The bounds on that comparison."""
    return Gate("versus_champion_low", at_least=-worse_by_at_most), Gate("p_worse", at_least=significance)


def _pseudonyms(protocol: str, kind: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sha256_bytes(f"{protocol}/{kind}/{name}".encode())[:PSEUDONYM] for name in names)
