"""From challenger to champion: gate, approval, ledger, aliases. The ledger decides; MLflow's aliases mirror it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Engine

from registry import ledger
from registry.candidates import Candidate, find_candidate
from registry.errors import RegistryError, TrackingError
from registry.gates import Decision, Evidence, judge, obstacles
from registry.ledger import SYSTEM, Champion
from registry.lineage import ancestors, is_complete
from registry.mirror import reconcile
from registry.packaging import PROTOCOL, find_version
from registry.tracking import Tracker

logger = logging.getLogger(__name__)


class Judged(NamedTuple):
    """What the gate says of a candidate while `champion` serves; a promotion must still find that epoch."""

    candidate: Candidate
    decision: Decision
    champion: Champion

    def as_data(self) -> dict[str, Any]:
        """For the ledger and `gate.json`."""
        return {**self.decision.as_data(), "against": self.champion.version, "licence": sorted(self.candidate.licences)}


class Comparison(NamedTuple):
    """What a comparison with the champion on the same probes found, and what stood in its way.

    `protocol` is the hash of the one under which the champion was asked, where that is known.
    """

    metrics: Mapping[str, float]
    obstacles: Sequence[str] = ()
    protocol: str | None = None


class Moved(NamedTuple):
    """What a promotion or rollback came to. `mirrored` is False when MLflow's aliases still have to be reconciled."""

    moved: bool
    champion: Champion
    mirrored: bool


def judge_candidate(
    engine: Engine,
    tracker: Tracker,
    candidate: Candidate,
    champion: Champion,
    comparison: Comparison,
    licence_override: str | None = None,
) -> Judged:
    """Hold a candidate's bounds against what is known of it; writes nothing.

    Closed in doubt: raises `TrackingError` when MLflow cannot show the version or that of the champion.
    """
    found = find_version(tracker, candidate.model, candidate.version)
    complete = is_complete(ancestors(engine, candidate.lineage))
    metrics = {**candidate.metrics, **comparison.metrics}
    evidence = Evidence(metrics, candidate.protocol, candidate.licences, complete, licence_override)
    gates = (*candidate.gates, *(candidate.versus_champion if comparison.metrics else ()))
    protocol = comparison.protocol or protocol_of(engine, tracker, champion)
    reasons = [*obstacles(evidence, protocol), *comparison.obstacles]
    if champion.version is not None and not comparison.metrics and not comparison.obstacles:
        reasons.append("was not compared with the champion")
    if found.sha256 != candidate.sha256:
        reasons.append("MLflow holds another graph under this version than was registered")
    return Judged(candidate, judge(metrics, gates, reasons), champion)


def note_judgement(engine: Engine, judged: Judged, actor: str = SYSTEM, reason: str = "") -> None:
    """Write the gate's decision into the ledger."""
    candidate, action = judged.candidate, "pass" if judged.decision.passed else "refuse"
    ledger.note(engine, candidate.model, action, candidate.version, judged.as_data(), actor, reason)


def note_answer(engine: Engine, judged: Judged, approved: bool, actor: str, reason: str) -> None:
    """Write down what a person said to a candidate that passed its gate."""
    candidate, action = judged.candidate, "approve" if approved else "reject"
    ledger.note(engine, candidate.model, action, candidate.version, {}, actor, reason)


def promote(engine: Engine, tracker: Tracker, judged: Judged, actor: str = SYSTEM, reason: str = "") -> Moved:
    """Make a judged candidate the champion if the epoch still is the one it was judged at.

    Raises `RegistryError` for one that did not pass, or needs an approval that the ledger does not hold.
    """
    candidate, epoch = judged.candidate, judged.champion.epoch
    if not judged.decision.passed:
        raise RegistryError(f"{candidate.model} version {candidate.version} did not pass its gate")
    if candidate.needs_approval and not _approved(engine, judged):
        raise RegistryError(f"{candidate.model} version {candidate.version} needs an approval: nobody has given one")
    won = ledger.promote(engine, candidate.model, candidate.version, epoch, judged.as_data(), actor, reason)
    return _moved(engine, tracker, candidate.model, won)


def roll_back(
    engine: Engine, tracker: Tracker, model: str, expected_epoch: int, reason: str, actor: str = SYSTEM
) -> Moved:
    """Give the place back to the previous champion, unless the epoch has moved on."""
    done = ledger.roll_back(engine, model, expected_epoch, reason, actor)
    return _moved(engine, tracker, model, done)


def give_back(engine: Engine, tracker: Tracker, model: str, expected_epoch: int, reason: str) -> Moved:
    """Undo the last change because what it put in place does not answer, unless the epoch has moved on."""
    done = ledger.give_back(engine, model, expected_epoch, reason)
    return _moved(engine, tracker, model, done)


def protocol_of(engine: Engine, tracker: Tracker, champion: Champion) -> str | None:
    """The hash of the protocol that the champion was measured under; None while nothing serves."""
    if champion.version is None:
        return None
    known = find_candidate(ledger.history(engine, champion.model), champion.model, champion.version)
    if known is not None:
        return known.protocol
    return find_version(tracker, champion.model, champion.version).tags.get(PROTOCOL, "")


def _approved(engine: Engine, judged: Judged) -> bool:
    """Whether the last answer to this candidate, at the epoch it was judged at, is an approval."""
    answers = [
        entry.action
        for entry in ledger.history(engine, judged.candidate.model)
        if entry.action in ("approve", "reject")
        and (entry.version, entry.epoch) == (judged.candidate.version, judged.champion.epoch)
    ]
    return answers[-1:] == ["approve"]


def _moved(engine: Engine, tracker: Tracker, model: str, done: bool) -> Moved:
    mirrored = _mirror(engine, tracker, model) if done else True
    return Moved(done, ledger.champion(engine, model), mirrored)


def _mirror(engine: Engine, tracker: Tracker, model: str) -> bool:
    """The decision stands whatever MLflow does; what could not be mirrored is left to `reconcile`."""
    try:
        reconcile(engine, tracker, model)
    except TrackingError as error:
        logger.warning("%s; the aliases of %s are repaired at the next reconciliation", error, model)
        return False
    return True
