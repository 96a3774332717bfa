"""What serves is asked before anybody relies on it; what does not answer as it did goes back."""

from uuid import NAMESPACE_URL, uuid5

from prefect.events import emit_event

from infra.files import canonical_json
from infra.profiles import load_profile
from models.errors import TrinormalError
from models.export.smoke import answers, require_same
from registry import ledger
from registry.candidates import find_candidate
from registry.errors import RegistryError, TrackingError
from registry.ledger import Entry
from registry.mirror import CHAMPION
from registry.packaging import fetch_graph, find_version
from registry.promotion import give_back
from tasks.events import PROFILE
from tasks.wiring import Workspace

EVENTS = {"promote": "promoted", "roll back": "rolled-back", "return": "returned"}


def confirm(workspace: Workspace, model: str) -> tuple[str, ...]:
    """Ask the champion where nobody has yet, and say so to whoever listens; returns what was wrong with its answer.

    A kill in between costs nothing: the next call asks again. A champion that answers is noted as confirmed; for one
    that does not the place goes back to the one before. Raises `TrackingError` while MLflow cannot show it.
    """
    pending = ledger.unconfirmed(ledger.history(workspace.engine, model))
    if pending is None:
        return ()
    faults = smoke_test(workspace, model, pending)
    if not faults:
        announce(workspace, model, pending)
        ledger.confirm(workspace.engine, pending, model)
        return ()
    returned = give_back(workspace.engine, workspace.tracker, model, pending.epoch, "; ".join(faults))
    if not returned.moved:  # something else serves by now, and whoever put it there asks it
        return ()
    announce(workspace, model, ledger.history(workspace.engine, model)[-1])
    return faults


def smoke_test(workspace: Workspace, model: str, pending: Entry) -> tuple[str, ...]:
    """Load what the alias `champion` serves and ask it; empty where it is, and says, what was registered."""
    known = find_candidate(ledger.history(workspace.engine, model), model, pending.version)
    try:
        found = find_version(workspace.tracker, model, f"@{CHAMPION}")
        if found.version != pending.version:
            return (f"the alias champion serves version {found.version}, not {pending.version}",)
        said = answers(fetch_graph(workspace.tracker, found))
        if known is not None and known.sha256 != found.sha256:
            return (f"{model} version {found.version} is not what was registered",)
        require_same(said, (known.answers if known is not None else None) or said)
    except TrackingError:
        raise
    except (RegistryError, TrinormalError) as error:
        return (str(error),)
    return ()


def announce(workspace: Workspace, model: str, entry: Entry) -> None:
    """Tell Prefect what changed. An entry's event has one id however often it is sent, and its payload is words only:
    automations turn numbers into parameters of the wrong type. `request` is what an evaluation of it is asked for.
    """
    state = ledger.champion(workspace.engine, model)
    resource = {"prefect.resource.id": f"trinormal.model.{model}", "prefect.resource.name": model}
    profile = _profile_of(model)
    emit_event(
        event=f"trinormal.champion.{EVENTS[entry.action]}",
        resource=resource if profile is None else {**resource, PROFILE: profile},
        payload={
            "request": canonical_json({"profile": profile, "model": model}) if profile is not None else "",
            "model": model,
            "version": entry.version,
            "champion": state.version or "",
            "previous": state.previous or "",
            "epoch": str(entry.epoch),
            "actor": entry.actor,
            "reason": entry.reason,
        },
        id=uuid5(NAMESPACE_URL, f"trinormal:{entry.hash}"),
    )


def _profile_of(model: str) -> str | None:
    """The profile of the product's own that calls its recogniser so, the smallest of several; None: there is none."""
    return next(
        (name for name in ("tiny", "demo", "standard", "paper") if load_profile(name).model_name == model), None
    )
