"""MLflow's aliases `champion`, `previous` and `challenger` as a mirror of the ledger, repaired after any crash."""

from collections.abc import Mapping

from sqlalchemy import Engine

from registry import ledger
from registry.mlflow_errors import explained
from registry.tracking import Tracker

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"


def reconcile(engine: Engine, tracker: Tracker, model: str) -> tuple[str, ...]:
    """Make MLflow's aliases say what the ledger says; returns what was repaired, one line each.

    Whoever sets an alias looks at the ledger once more afterwards: of several at once the last one leaves it right.
    """
    repaired: list[str] = []
    while True:
        ledger.verify_chain(engine, model)
        state = ledger.champion(engine, model)
        wanted: dict[str, str | None] = {CHAMPION: state.version, PREVIOUS: state.previous}
        entries = ledger.history(engine, model)
        challenger = ledger.challenger(entries)
        if challenger is not None or any(entry.action == "candidate" for entry in entries):
            wanted[CHALLENGER] = challenger
        repaired += _repair(tracker, model, wanted)
        if ledger.champion(engine, model) == state:
            return tuple(repaired)


def _repair(tracker: Tracker, model: str, wanted: Mapping[str, str | None]) -> list[str]:
    """Set, move or delete what differs. A model that the ledger gives no version may be unknown to MLflow."""
    repaired: list[str] = []
    with explained(tracker.tracking_uri):
        if not any(wanted.values()) and not tracker.client.search_registered_models(f"name = '{model}'"):
            return repaired
        aliases = {name: str(number) for name, number in tracker.client.get_registered_model(model).aliases.items()}
        if CHALLENGER not in wanted and aliases.get(CHALLENGER) == wanted[CHAMPION]:
            wanted = {**wanted, CHALLENGER: None}  # registered before candidates were noted
        for alias, version in wanted.items():
            present = aliases.get(alias)
            if present == version:
                continue
            if version is None:
                tracker.client.delete_registered_model_alias(model, alias)
            else:
                tracker.client.set_registered_model_alias(model, alias, version)
            repaired.append(f"{model}@{alias}: {present or 'nothing'} -> {version or 'nothing'}")
    return repaired
