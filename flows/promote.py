"""From challenger to champion and back: what trainings, the command and Prefect's UI all go through."""

from typing import Any, Literal

from prefect import flow, pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import Field

from flows.parameters import PromoteRequest, RollbackRequest
from registry.promotion import Judged
from tasks.gallery_renewal import Renewal, embed_gallery, predecessor
from tasks.outcomes import Outcomes
from tasks.promotion import (
    Released,
    interrupted_rollback,
    judge,
    make_champion,
    note_answer,
    note_verdict,
    put_back,
    settle,
    show_verdict,
    standing,
)
from tasks.verdict_tables import as_markdown

ANSWER_WITHIN_S = 14 * 24 * 3600
NOBODY = "nobody"


class Approval(RunInput):
    """A person's word on a candidate that passed its gate."""

    answer: Literal["approve", "reject"] = Field(
        description="approve: it becomes champion; reject: it stays challenger"
    )
    name: str = Field(min_length=1, max_length=100, description="who you are; the ledger keeps it")
    reason: str = Field(min_length=1, max_length=2000, description="why; the ledger keeps it")


@flow(name="promote", retries=0)
def promote(request: PromoteRequest) -> dict[str, Any]:
    """Judge a version, ask a person where one has to agree, and make it champion; returns what became of it."""
    settle(request.model)
    judged = judge(request.model, request.version, None, request.licence_override)
    show_verdict(judged)
    if request.dry_run:
        return _told(_refused(judged, "passes; a dry run changes nothing"), verdict=judged.as_data())
    note_verdict(judged, request.actor, request.licence_override or "")
    return _told(*_carry_out(judged, request), verdict=judged.as_data())


@flow(name="rollback", retries=0)
def rollback(request: RollbackRequest) -> dict[str, Any]:
    """Give the place to the previous champion; one that was broken off is finished, and no second one made."""
    begun = interrupted_rollback(request.model)
    settle(request.model)
    if begun is None:
        renewal = embed_gallery(request.model, predecessor(request.model))
        return _told(put_back(request.model, request.actor, request.reason), renewal)
    left = standing(request.model, begun.version)
    return _told(left or Released(request.model, begun.version, "returned", False, ("it did not answer",)))


def compete(model: str, version: str, rescored: Outcomes | None = None) -> Released:
    """A freshly trained candidate's attempt, without a person: where one has to agree it waits as challenger."""
    settle(model)
    serving = standing(model, version)
    if serving is not None:
        return serving
    judged = judge(model, version, rescored)
    note_verdict(judged)
    show_verdict(judged)
    if not judged.decision.passed or judged.candidate.needs_approval:
        return _refused(judged, f"passed its gate and waits for a person: trinormal promote {model} {version}")
    embed_gallery(model, version)
    return make_champion(judged)


def _carry_out(judged: Judged, request: PromoteRequest) -> tuple[Released, Renewal | None]:
    """What follows a verdict; the gallery is ready for a version before that serves."""
    if not judged.decision.passed:
        return _refused(judged), None
    actor, reason = request.actor, request.approval
    if request.approval:
        note_answer(judged, True, actor, reason)
    elif request.ask or judged.candidate.needs_approval:
        answer = _ask(judged)
        note_answer(judged, answer.answer == "approve", answer.name, answer.reason)
        if answer.answer == "reject":
            return _refused(judged, f"rejected by {answer.name}: {answer.reason}"), None
        actor, reason = answer.name, answer.reason
    renewal = embed_gallery(judged.candidate.model, judged.candidate.version)
    return make_champion(judged, actor, reason), renewal


def _told(released: Released, renewal: Renewal | None = None, **more: Any) -> dict[str, Any]:
    """What the flow returns; `gallery` where people are enrolled that the version has to know."""
    gallery = None if renewal is None else renewal.as_text(released.name)
    return {**released._asdict(), "gallery": gallery, **more}


def _ask(judged: Judged) -> Approval:
    """Wait for a person's word in Prefect's UI; nobody's word is a rejection."""
    form = Approval.with_initial_data(description=as_markdown(judged))
    try:
        return pause_flow_run(wait_for_input=form, timeout=ANSWER_WITHIN_S)
    except FlowPauseTimeout:
        return Approval(answer="reject", name=NOBODY, reason=f"no answer within {ANSWER_WITHIN_S // 86400} days")


def _refused(judged: Judged, otherwise: str = "") -> Released:
    """Still the challenger, and why; `otherwise` where the gate has nothing against it."""
    candidate = judged.candidate
    reasons = judged.decision.reasons or (otherwise,)
    return Released(candidate.model, candidate.version, "challenger", False, reasons)
