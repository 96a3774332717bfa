"""From challenger to champion: gate, ledger, aliases. The ledger decides; MLflow's aliases only mirror it."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine

from registry import ledger
from registry.errors import TrackingError
from registry.gates import Decision, Evidence, Gate, judge, obstacles
from registry.ledger import Champion
from registry.mlflow_errors import explained
from registry.packaging import PROTOCOL, ModelVersion, find_version
from registry.tracking import Tracker

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"
logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What a promotion came to. `mirrored` is False when MLflow's aliases still have to be reconciled."""

    promoted: bool
    decision: Decision
    champion: Champion
    mirrored: bool


def register_challenger(tracker: Tracker, version: ModelVersion) -> None:
    """Point the alias `challenger` at a version."""
    with explained(tracker.tracking_uri):
        tracker.client.set_registered_model_alias(version.model, CHALLENGER, version.version)


def promote_if_passes(
    engine: Engine,
    tracker: Tracker,
    version: ModelVersion,
    evidence: Evidence,
    gates: Sequence[Gate],
    expected_epoch: int,
) -> Outcome:
    """Judge a version and make it the champion if nothing speaks against it and the epoch is still the expected one.

    Closed in doubt: raises `TrackingError`, and promotes nothing, when MLflow cannot show the version and the champion.
    """
    found = find_version(tracker, version.model, version.version)
    before = ledger.champion(engine, found.model)
    decision = judge(evidence.metrics, gates, obstacles(evidence, _protocol(tracker, before)))
    if not decision.passed:
        ledger.refuse(engine, found.model, found.version, decision.as_data())
        return Outcome(False, decision, ledger.champion(engine, found.model), mirrored=True)
    if not ledger.promote(engine, found.model, found.version, expected_epoch, decision.as_data()):
        lost = Decision(False, ("another promotion was faster: judge again against the new champion",), decision.checks)
        return Outcome(False, lost, ledger.champion(engine, found.model), mirrored=True)
    return Outcome(True, decision, ledger.champion(engine, found.model), _mirror(engine, tracker, found.model))


def roll_back(engine: Engine, tracker: Tracker, model: str, expected_epoch: int, reason: str) -> bool:
    """Give the place back to the previous champion; False when the epoch has moved on."""
    if not ledger.roll_back(engine, model, expected_epoch, reason):
        return False
    _mirror(engine, tracker, model)
    return True


def reconcile(engine: Engine, tracker: Tracker, model: str) -> tuple[str, ...]:
    """Make MLflow's aliases say what the ledger says; returns what was repaired, one line each."""
    ledger.verify_chain(engine, model)
    state = ledger.champion(engine, model)
    repaired: list[str] = []
    with explained(tracker.tracking_uri):
        aliases = dict(tracker.client.get_registered_model(model).aliases)
        for alias, version in ((CHAMPION, state.version), (PREVIOUS, state.previous)):
            present = str(aliases[alias]) if alias in aliases else None
            if present == version:
                continue
            if version is None:
                tracker.client.delete_registered_model_alias(model, alias)
            else:
                tracker.client.set_registered_model_alias(model, alias, version)
            repaired.append(f"{model}@{alias}: {present or 'nothing'} -> {version or 'nothing'}")
        if state.version is not None and str(aliases.get(CHALLENGER)) == state.version:
            tracker.client.delete_registered_model_alias(model, CHALLENGER)
            repaired.append(f"{model}@{CHALLENGER}: {state.version} -> nothing")
    return tuple(repaired)


def _protocol(tracker: Tracker, champion: Champion) -> str | None:
    """The protocol the champion was measured under; None while nothing serves."""
    if champion.version is None:
        return None
    return find_version(tracker, champion.model, champion.version).tags.get(PROTOCOL, "")


def _mirror(engine: Engine, tracker: Tracker, model: str) -> bool:
    """The decision stands whatever MLflow does; what could not be mirrored is left to `reconcile`."""
    try:
        reconcile(engine, tracker, model)
    except TrackingError as error:
        logger.warning("%s; the aliases of %s are repaired at the next reconciliation", error, model)
        return False
    return True
