"""What happened, told to Prefect, whose automations and webhooks act on it."""

from prefect.events import emit_event

REGRESSED = "trinormal.evaluation.regressed"
PROMOTED = "trinormal.champion.promoted"
DRIFTED = "trinormal.data.drifted"
PROFILE = "trinormal.profile"
"""A label of what an event is about: the profile whose recogniser the model is. Other models carry none."""


def tell(event: str, model: str, **said: str) -> None:
    """Emit `event` about a registered model. What is said is text: automations fill it into parameters as it is."""
    emit_event(event, {"prefect.resource.id": f"trinormal.model.{model}", "prefect.resource.name": model}, payload=said)
