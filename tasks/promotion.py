"""A candidate's way to champion: settled ground, the gate, a person's word, the ledger, and proof that it answers."""

from typing import NamedTuple

from prefect import task
from prefect.artifacts import create_markdown_artifact

from registry import ledger, promotion
from registry.candidates import Candidate, find_candidate, require_candidate
from registry.errors import RegistryError
from registry.ledger import SYSTEM, Champion, Entry
from registry.mirror import reconcile
from registry.promotion import Comparison, Judged
from registry.training_runs import release_run
from tasks import policies
from tasks.confirmation import confirm
from tasks.outcomes import Outcomes, compare, kept_outcomes
from tasks.verdict_tables import as_markdown
from tasks.wiring import Workspace, open_workspace

OVERTAKEN = "another promotion was faster: judge again against the new champion"
RETURNED = "returned"


class Released(NamedTuple):
    """What became of a candidate."""

    name: str
    version: str
    alias: str
    promoted: bool
    reasons: tuple[str, ...]


@task(name="settle promotions", **policies.REGISTER)
def settle(model: str) -> tuple[str, ...]:
    """Finish what a crash left of earlier promotions and rollbacks; returns what was done, one line each.

    MLflow hears first what it could not be told, or nothing is judged; its aliases say again what the ledger says, and
    what serves without anybody having asked it is asked. Raises `TrackingUnavailable` while MLflow is away.
    """
    workspace = open_workspace()
    workspace.tracker.reconcile()
    repaired = reconcile(workspace.engine, workspace.tracker, model)
    return (*repaired, *confirm(workspace, model))


@task(name="judge", **policies.REGISTER)
def judge(model: str, version: str, rescored: Outcomes | None = None, licence_override: str | None = None) -> Judged:
    """Hold the gate against a version (empty: the challenger), and write nothing.

    `rescored` is what the champion makes of the candidate's benchmark, for one that keeps no outcomes of its own under
    that protocol. Raises `RegistryError` for the champion itself and for what is no candidate.
    """
    workspace = open_workspace()
    ledger.verify_chain(workspace.engine, model)
    champion = ledger.champion(workspace.engine, model)
    entries = ledger.history(workspace.engine, model)
    candidate = require_candidate(entries, model, _wanted(champion, entries, version))
    comparison = _compared(workspace, candidate, champion, entries, rescored)
    return promotion.judge_candidate(
        workspace.engine, workspace.tracker, candidate, champion, comparison, licence_override
    )


@task(name="note verdict", **policies.REGISTER)
def note_verdict(judged: Judged, actor: str = SYSTEM, reason: str = "") -> None:
    """Write the verdict into the ledger and, as `gate.json`, to the run of the version."""
    workspace, candidate = open_workspace(), judged.candidate
    promotion.note_judgement(workspace.engine, judged, actor, reason)
    release_run(workspace.tracker, candidate.model, candidate.version).log_dict(judged.as_data(), "gate.json")


@task(name="show verdict", **policies.CHECK)
def show_verdict(judged: Judged) -> None:
    """The verdict as a table in Prefect's UI."""
    candidate = judged.candidate
    title = f"{candidate.model} version {candidate.version}"
    create_markdown_artifact(as_markdown(judged), key=f"gate-{candidate.model}", description=title)


@task(name="note answer", **policies.REGISTER)
def note_answer(judged: Judged, approved: bool, actor: str, reason: str) -> None:
    """Write down what a person said."""
    promotion.note_answer(open_workspace().engine, judged, approved, actor, reason)


@task(name="make champion", **policies.CHANGE)
def make_champion(judged: Judged, actor: str = SYSTEM, reason: str = "") -> Released:
    """Ledger, aliases, smoke test, event; the champion of before returns where the new one does not answer."""
    workspace, candidate = open_workspace(), judged.candidate
    moved = promotion.promote(workspace.engine, workspace.tracker, judged, actor, reason)
    if moved.moved:
        return _asked(workspace, moved.mirrored, candidate.model, candidate.version)
    told = {"passed": False, "reasons": [OVERTAKEN]}
    ledger.note(workspace.engine, candidate.model, "refuse", candidate.version, told, actor)
    return Released(candidate.model, candidate.version, "challenger", False, (OVERTAKEN,))


@task(name="put back", **policies.CHANGE)
def put_back(model: str, actor: str, reason: str) -> Released:
    """Give the place to the previous champion; the one of before returns where that does not answer."""
    workspace = open_workspace()
    before = ledger.champion(workspace.engine, model)
    moved = promotion.roll_back(workspace.engine, workspace.tracker, model, before.epoch, reason, actor)
    if not moved.moved:
        raise RegistryError(f"{model} changed hands meanwhile: look at `trinormal history {model}` and ask again")
    return _asked(workspace, moved.mirrored, model, str(before.previous))


def standing(model: str, version: str) -> Released | None:
    """The version as champion, if that is what it is already."""
    serving = ledger.champion(open_workspace().engine, model)
    return Released(model, version, "champion", True, ()) if serving.version == version else None


def interrupted_rollback(model: str) -> Entry | None:
    """A rollback that was begun, and not seen to its end."""
    pending = ledger.unconfirmed(ledger.history(open_workspace().engine, model))
    return pending if pending is not None and pending.action == "roll back" else None


def _wanted(champion: Champion, entries: tuple[Entry, ...], version: str) -> str:
    """The version that is meant."""
    wanted = version or ledger.challenger(entries)
    if wanted is None:
        raise RegistryError(f"{champion.model} has no challenger: name a version, or train one")
    if wanted == champion.version:
        raise RegistryError(f"{champion.model} version {wanted} is the champion already")
    return wanted


def _compared(
    workspace: Workspace,
    candidate: Candidate,
    champion: Champion,
    entries: tuple[Entry, ...],
    rescored: Outcomes | None,
) -> Comparison:
    """The candidate beside the champion by what both keep, or by the champion scored again."""
    if champion.version is None:
        return Comparison({})
    known = find_candidate(entries, champion.model, champion.version)
    same = known is not None and known.protocol == candidate.protocol
    theirs = kept_outcomes(workspace.tracker, known) if known is not None and same else None
    return compare(kept_outcomes(workspace.tracker, candidate), theirs or rescored)


def _asked(workspace: Workspace, mirrored: bool, model: str, version: str) -> Released:
    """What serves now is asked; with MLflow away that is left to the next settling."""
    faults = confirm(workspace, model) if mirrored else ()
    return Released(model, version, RETURNED if faults else "champion", not faults, faults)
