"""Who is in the ring for a model: what serves, what served before it, and what would like to."""

from sqlalchemy import Engine

from registry import ledger
from registry.mlflow_errors import explained
from registry.tracking import Tracker

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ROLES = (CHAMPION, CHALLENGER, PREVIOUS)


def contenders(engine: Engine, tracker: Tracker, model: str) -> dict[str, str]:
    """Versions by role, each once; a role that nobody has is left out. The ledger says who serves, MLflow who asks."""
    state = ledger.champion(engine, model)
    if state.version is None:
        return {}
    with explained(tracker.tracking_uri):
        aliases = dict(tracker.client.get_registered_model(model).aliases)
    asking = str(aliases[CHALLENGER]) if CHALLENGER in aliases else None
    found: dict[str, str] = {}
    for role, version in zip(ROLES, (state.version, asking, state.previous), strict=True):
        if version is not None and version not in found.values():
            found[role] = version
    return found
