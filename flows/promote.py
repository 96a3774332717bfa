"""From challenger to champion and back: what trainings, the command and Prefect's UI all go through."""

from typing import Any, Literal

from prefect import flow, pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import Field

from flows.parameters import PromoteRequest, RollbackRequest
from registry.promotion import Judged
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
    if not request.dry_run:
        note_verdict(judged, request.actor, request.licence_override or "")
        released = _carry_out(judged, request)
    else:
        released = _refused(judged, "passes; a dry run changes nothing")
    return {**released._asdict(), "verdict": judged.as_data()}


@flow(name="rollback", retries=0)
def rollback(request: RollbackRequest) -> dict[str, Any]:
    """Give the place to the previous champion; one that was broken off is finished, and no second one made."""
    begun = interrupted_rollback(request.model)
    settle(request.model)
    if begun is None:
        return put_back(request.model, request.actor, request.reason)._asdict()
    left = standing(request.model, begun.version)
    return (left or Released(request.model, begun.version, "returned", False, ("it did not answer",)))._asdict()


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
    return make_champion(judged)


def _carry_out(judged: Judged, request: PromoteRequest) -> Released:
    """What follows a verdict."""
    if not judged.decision.passed:
        return _refused(judged)
    actor, reason = request.actor, request.approval
    if request.approval:
        note_answer(judged, True, actor, reason)
    elif request.ask or judged.candidate.needs_approval:
        answer = _ask(judged)
        note_answer(judged, answer.answer == "approve", answer.name, answer.reason)
        if answer.answer == "reject":
            return _refused(judged, f"rejected by {answer.name}: {answer.reason}")
        actor, reason = answer.name, answer.reason
    return make_champion(judged, actor, reason)


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
