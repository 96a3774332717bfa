"""What Prefect does by itself: ends dead runs, retrains after a regression, evaluates a new champion, tells a webhook.

Automations are kept by name. A change here is taken over at the runner's next start; one that was switched off in the
UI stays off.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState, RunDeployment
from pydantic import SecretStr

from tasks.events import DRIFTED, PROFILE, PROMOTED, REGRESSED

OURS = "trinormal: "
HEARTBEAT = "prefect.flow-run.heartbeat"
ENDED = ("Completed", "Failed", "Crashed", "Cancelled", "TimedOut", "Paused", "Suspended", "AwaitingRetry")
UNWELL = ("Failed", "Crashed", "TimedOut")
SILENT_FOR = timedelta(seconds=90)
"""Three heartbeats (`PREFECT_FLOWS_HEARTBEAT_FREQUENCY` is 30 s, Prefect's least)."""
WEBHOOK = "trinormal-webhook"
TOLD = """{"event": {{ event.event | tojson }}, "about": {{ event.resource.name | tojson }},
 "payload": {{ event.payload | tojson }}}"""


class Reaction(NamedTuple):
    """An event of ours, and the deployment that it starts with what the event says; `about` its resource must carry."""

    name: str
    event: str
    deployment: str
    about: Mapping[str, str]


SAID: Mapping[str, Any] = {
    "request": {
        "__prefect_kind": "json",
        "value": {"__prefect_kind": "jinja", "template": "{{ event.payload.request }}"},
    }
}
"""The request that an event says as JSON text; so may a field be none, or a number."""
REACTIONS = (
    Reaction("retrain after a regression", REGRESSED, "train-recognizer/retrain", {}),
    Reaction("evaluate a new champion", PROMOTED, "nightly/nightly", {PROFILE: "*"}),  # not one of the classifiers
)


def apply_automations(deployed: Mapping[str, UUID], webhook: SecretStr | None) -> list[str]:
    """Make Prefect's automations of ours what they are here; returns their names. `deployed`: FLOW/NAME to its id."""
    with get_client(sync_client=True) as client:
        wanted = {each.name: each for each in _wanted(deployed, _webhook(webhook))}
        known = {each.name: each for each in client.read_automations() if each.name.startswith(OURS)}
        for name, automation in wanted.items():
            if name not in known:
                client.create_automation(automation)
            elif essence(known[name]) != essence(automation):  # one that is written anew forgets what it waits for
                client.update_automation(known[name].id, automation.model_copy(update={"enabled": known[name].enabled}))
        for name in known.keys() - wanted.keys():
            client.delete_automation(known[name].id)
    return list(wanted)


def essence(automation: AutomationCore) -> Any:
    """What an automation does: its triggers and actions without their ids, in one order."""
    return _plain(automation.model_dump(mode="json", include={"description", "trigger", "actions"}))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name != "id" and each is not None}
    if isinstance(value, list):
        return sorted((_plain(each) for each in value), key=repr)
    return value


def _wanted(deployed: Mapping[str, UUID], webhook: UUID | None) -> Iterator[AutomationCore]:
    yield _zombies()
    for reaction in REACTIONS:
        if reaction.deployment in deployed:
            yield _reaction(reaction, deployed[reaction.deployment])
    if webhook is not None:
        yield _notification(webhook)


def _zombies() -> AutomationCore:
    """A killed process can report nothing, and its run would be `Running` for ever."""
    return AutomationCore(
        name=f"{OURS}end runs without a heartbeat",
        description="A flow run that has fallen silent without an end is dead: its state becomes Crashed.",
        trigger=EventTrigger(
            after={HEARTBEAT},
            expect={HEARTBEAT, *(f"prefect.flow-run.{state}" for state in ENDED)},
            match={"prefect.resource.id": "prefect.flow-run.*"},  # pyright: ignore[reportArgumentType]
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENT_FOR,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name=None,
                force=False,
                message="No heartbeat any more: the process was killed. Run it again, it goes on where it was.",
            )
        ],
    )


def _reaction(reaction: Reaction, deployment: UUID) -> AutomationCore:
    return AutomationCore(
        name=OURS + reaction.name,
        description=f"{reaction.event} starts {reaction.deployment}.",
        trigger=_as_soon_as(reaction.event, about=reaction.about),
        actions=[
            RunDeployment(source="selected", deployment_id=deployment, parameters=dict(SAID), job_variables=None),
        ],
    )


def _notification(webhook: UUID) -> AutomationCore:
    return AutomationCore(
        name=f"{OURS}tell the webhook",
        description="Runs that end unwell, regressions, drift and new champions are posted to TRINORMAL_WEBHOOK_URL.",
        trigger=_as_soon_as(REGRESSED, PROMOTED, DRIFTED, *(f"prefect.flow-run.{state}" for state in UNWELL)),
        actions=[CallWebhook(block_document_id=webhook, payload=TOLD)],
    )


def _as_soon_as(*events: str, about: Mapping[str, str] | None = None) -> EventTrigger:
    return EventTrigger(
        expect=set(events),
        match=dict(about or {}),  # pyright: ignore[reportArgumentType]
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )


def _webhook(url: SecretStr | None) -> UUID | None:
    """The block that keeps the secret address; Prefect encrypts it in its database. Gone where no address is set."""
    if url is not None:
        return cast("UUID", Webhook(url=url).save(WEBHOOK, overwrite=True))
    with suppress(ValueError):  # there is none
        Webhook.delete(WEBHOOK)
    return None
